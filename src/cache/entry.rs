//! The bytes of one entry: a mark, the format's number, the length and the digest of the rest, and the rest.
//!
//! The rest is the head, what was heard from the disk, and the outcome, each as postcard writes it. A length inside of it
//! takes no memory before the bytes that it speaks of are there.

use serde::{Deserialize, Serialize};

use crate::source::disk::Heard;
use crate::source::stamp::{Digest, Moment, Stamp};

const MARK: &[u8; 8] = b"racelint";

/// Raised with every change of what an entry holds.
const FORMAT: u32 = 1;

/// The bytes before the rest: mark, format, length, digest.
const START: usize = 8 + 4 + 8 + 32;

/// In bytes; what takes more is not kept, and not read.
pub const SIZE_LIMIT: u64 = 64 << 20;

/// Whose entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub key: Digest,
    /// When the outcome was; an entry that is taken over with newer stamps keeps it.
    pub found_out: Moment,
    /// Before the files were looked at, when that was last done.
    pub begun: Moment,
    pub program: Stamp,
    pub program_digest: Digest,
}

/// Why bytes are no entry of this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No entry at all, or one in another format.
    Foreign,
    /// Cut off, or not as it was written.
    Damaged,
    /// Of a run that was asked for something else.
    OfAnother,
}

/// The whole entry; `rest` is a [`super::remembered::Remembered`] in bytes.
pub fn encode(head: &Head, heard: &Heard, rest: &[u8]) -> Vec<u8> {
    let body = [
        postcard::to_allocvec(head).unwrap_or_default(),
        postcard::to_allocvec(heard).unwrap_or_default(),
        rest.to_vec(),
    ]
    .concat();
    sealed(&body)
}

/// The start that belongs to a body, and the body.
pub fn sealed(body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u64).to_le_bytes();
    [&MARK[..], &FORMAT.to_le_bytes(), &length, &Digest::of(body).0, body].concat()
}

/// An entry's head, what was heard, and the bytes of the outcome.
pub fn decode(bytes: &[u8], key: Digest) -> Result<(Head, Heard, &[u8]), Fault> {
    let (start, body) = bytes.split_at_checked(START).ok_or(Fault::Foreign)?;
    let (mark, start) = start.split_at(MARK.len());
    let (format, start) = start.split_at(4);
    let (length, digest) = start.split_at(8);
    if mark != MARK || format != FORMAT.to_le_bytes() {
        return Err(Fault::Foreign);
    }
    if length != (body.len() as u64).to_le_bytes() || digest != Digest::of(body).0 {
        return Err(Fault::Damaged);
    }
    let (head, body) = postcard::take_from_bytes::<Head>(body).map_err(|_| Fault::Damaged)?;
    if head.key != key {
        return Err(Fault::OfAnother);
    }
    let (heard, rest) = postcard::take_from_bytes::<Heard>(body).map_err(|_| Fault::Damaged)?;
    Ok((head, heard, rest))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::source::disk::Answer;
    use crate::source::stamp::Kind;

    fn stamp() -> Stamp {
        Stamp::at(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn key() -> Digest {
        Digest::of(b"key")
    }

    fn whole() -> Vec<u8> {
        let now = Moment::now();
        let program_digest = Digest::of(b"program");
        let head = Head { key: key(), found_out: now, begun: now, program: stamp(), program_digest };
        let answers = vec![
            ("/a".to_owned(), Answer::Listing(stamp(), Digest::of(b""), 3)),
            ("/a/b.rs".to_owned(), Answer::Content(stamp(), Digest::of(b"b"))),
            ("/a/.gitignore".to_owned(), Answer::Is(Kind::Absent)),
        ];
        encode(&head, &Heard { answers, room: 5, walks: 1, unsure: false }, b"rest")
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = whole();
        let (head, heard, rest) = decode(&bytes, key()).unwrap();
        assert_eq!((head.key, head.program, rest), (key(), stamp(), &b"rest"[..]));
        assert_eq!((heard.answers.len(), heard.room, heard.walks), (3, 5, 1));
        assert_eq!(encode(&head, &heard, rest), bytes);
    }

    #[test]
    fn what_is_cut_off_longer_or_changed_in_one_bit_is_none() {
        let bytes = whole();
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], key()).is_err(), "{length}");
        }
        assert_eq!(decode(&[&bytes[..], b"x"].concat(), key()).unwrap_err(), Fault::Damaged);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(decode(&changed, key()).is_err(), "{at}");
        }
    }

    #[test]
    fn what_is_foreign_is_named_so() {
        let bytes = whole();
        assert_eq!(decode(&bytes, Digest::of(b"other")).unwrap_err(), Fault::OfAnother);
        let mut newer = bytes.clone();
        newer[8] = 2;
        for foreign in [&b""[..], b"racelint", &[0; 4096], &newer] {
            assert_eq!(decode(foreign, key()).unwrap_err(), Fault::Foreign);
        }
    }

    #[test]
    fn a_length_that_is_a_lie_takes_no_memory() {
        let now = Moment::now();
        let head = Head { key: key(), found_out: now, begun: now, program: stamp(), program_digest: key() };
        let mut body = postcard::to_allocvec(&head).unwrap();
        // As many answers as a number can say, and none of them.
        body.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        assert_eq!(decode(&sealed(&body), key()).unwrap_err(), Fault::Damaged);
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_in_good_order(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode(&bytes, key());
            let body = [&key().0[..], &bytes].concat();
            let _ = decode(&sealed(&body), key());
        }
    }
}
