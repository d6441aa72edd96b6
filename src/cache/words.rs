//! Words of ours that findings hold without owning them, found again when a finding is read back.

use serde::de::{Deserialize, Deserializer, Error};

use crate::finding::Word;
use crate::rules;

pub fn rule<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    known(from, rules::pages().iter().map(|page| page.id))
}

pub fn language<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    known(from, ["sql", "rust"].into_iter())
}

fn known<'de, D: Deserializer<'de>>(from: D, mut words: impl Iterator<Item = Word>) -> Result<Word, D::Error> {
    let said = String::deserialize(from)?;
    words.find(|word| *word == said).ok_or_else(|| D::Error::custom("no word of racelint's"))
}
