//! Claim first, then do what cannot be undone.

use super::atomic::{Row, finished};
use super::sql::Sql;
use super::{Case, outcome, unique_key};
use crate::event::EventKind;
use crate::finding::{Rewrite, RewriteKind};
use crate::sql::statement::{Action, Operand};

/// The write moved before the effect, under the condition that was checked; a state goes through one between.
pub fn rewrite(case: Case<'_, '_>) -> Option<Rewrite> {
    let effect = case.claim.effect.and_then(|id| case.scene.event(id)).and_then(|event| match &event.kind {
        EventKind::Effect(effect) => Some(effect.name.clone()),
        _ => None,
    });
    let effect = effect.unwrap_or_else(|| "the effect".to_owned());
    if case.inserts() {
        // What writes over a row that is there claims nothing.
        let insert = unique_key::rewrite(case).filter(|insert| !insert.text.contains(" UPDATE "))?;
        return Some(Rewrite {
            kind: RewriteKind::ClaimFirst,
            title: format!("insert first, call {effect} only when the row is yours"),
            note: format!("{}; give the call an idempotency key, for the request that dies in between", insert.note),
            ..insert
        });
    }
    let row = Row::of(case)?;
    let mut guards = row.guards().unwrap_or_default();
    let mut sets = Vec::new();
    let words = case.words(case.writes, row.target);
    let mut between = false;
    for set in &row.target.sets {
        let mut said = Sql::text(words.name(&set.column));
        let state = matches!(&set.value, Operand::Literal(text) if text.parse::<f64>().is_err() && text != "true" && text != "false");
        said.push(" = ");
        if state && !between {
            between = true;
            said.push("'claimed'");
        } else if let Some(value) = row.known_before(case, set) {
            said.append(value);
        } else {
            continue;
        }
        sets.push(said);
    }
    if guards.is_empty() {
        guards.extend(row.undone());
    }
    if guards.is_empty() && row.target.action == Action::Update {
        return None;
    }
    let rendered = row.statement(sets, guards, row.keys()?)?;
    let then = if between { ", and write the final state after it" } else { "" };
    let note = format!(
        "no row changed means that another request has it: stop there ({}); else call {effect} with an idempotency \
         key{then}; a sweeper takes back claims whose process died",
        outcome::word(case)
    );
    Some(finished(RewriteKind::ClaimFirst, format!("claim the row first, then call {effect}"), rendered, &note))
}
