//! Claims to rewrites: the smallest statement that does not race.
//!
//! One file for each kind of repair; here is only which kinds a claim may have, the smallest first. What was built for
//! one engine, table and statement is given out only when it parses as SQL of that engine.
//!
//! Source of what repairs what: PostgreSQL manual 13.2 and 13.3, MySQL manual 15.7.2 and 15.7.3, SQLite's "Isolation".

mod atomic;
mod beside;
mod claim_first;
mod condition;
mod outcome;
mod parent;
mod pick;
mod row_lock;
mod sql;
#[cfg(test)]
mod tests;
mod tokens;
mod unique_key;
mod upsert;
mod way;
mod words;

use crate::dialect::Dialect;
use crate::event::{Access, Event};
use crate::finding::{Rewrite, RewriteKind};
use crate::flow::term::{Term, TermId};
use crate::flow::value::HOLE;
use crate::protect::WhyNot;
use crate::race::rows::Relation;
use crate::race::scene::Scene;
use crate::rules::claim::Claim;
use crate::rules::{
    check_then_insert, check_then_update, double_fire, lock_lost, lost_update, own_number, racy_statement, reset,
    stale_guard, table_lock, unchecked_outcome, unsafe_claim,
};
use crate::sql::parse;
use crate::sql::statement::{Access as TableAccess, Action, Operand, Place};

/// How many rewrites a finding has at most.
const MOST: usize = 3;

/// The ways to write it that do not race, the smallest first; at most three.
pub fn rewrites(scene: &Scene<'_, '_>, claim: &Claim) -> Vec<Rewrite> {
    let Some(case) = Case::of(scene, claim) else { return Vec::new() };
    let mut found = case.found();
    let holds = case.holds_transactions() && !case.may_be_cached();
    found.retain(|rewrite| holds || !needs_transaction(rewrite.kind));
    found.retain(|rewrite| rewrite.language != "sql" || parses(&rewrite.text, case.dialect));
    let mut texts: Vec<String> = Vec::new();
    found.retain(|rewrite| {
        let new = !texts.contains(&rewrite.text);
        texts.push(rewrite.text.clone());
        new
    });
    if found.is_empty() && matches!(claim.rule, lost_update::ID | check_then_update::ID) {
        let versioned = atomic::versioned(case).or_else(|| upsert::versioned(case));
        found.extend(versioned.filter(|rewrite| parses(&rewrite.text, case.dialect)));
    }
    // What has left the process is not taken back by a level.
    if found.is_empty() && holds && claim.rule != double_fire::ID {
        found.push(parent::isolation(&case));
    }
    beside::said(case, &mut found);
    // Nobody can run a statement of which a part is not known.
    found.retain(|rewrite| !rewrite.text.contains(HOLE));
    found.truncate(MOST);
    found
}

fn needs_transaction(kind: RewriteKind) -> bool {
    matches!(kind, RewriteKind::RowLock | RewriteKind::OneTransaction | RewriteKind::Isolation)
}

/// Whether every statement of a text is understood in full, but for what it leaves as it is.
fn parses(text: &str, dialect: Dialect) -> bool {
    let text = text.replace(atomic::STAYS, "").replace(atomic::ROW_STAYS, "(id) VALUES (0)");
    let parsed = parse::parse(&text, dialect);
    parsed.unknown.is_empty()
        && !parsed.statements.is_empty()
        && parsed.statements.iter().all(|statement| statement.gaps.is_empty())
}

/// A claim with the statements it is about.
#[derive(Clone, Copy)]
struct Case<'a, 'p> {
    scene: &'a Scene<'a, 'p>,
    claim: &'a Claim,
    read: &'a Event,
    write: &'a Event,
    reads: &'a Access,
    writes: &'a Access,
    dialect: Dialect,
}

impl<'a, 'p> Case<'a, 'p> {
    fn of(scene: &'a Scene<'a, 'p>, claim: &'a Claim) -> Option<Self> {
        let read = scene.event(claim.sequence.read)?;
        let write = scene.event(claim.sequence.write)?;
        let (reads, writes) = (read.access()?, write.access()?);
        Some(Self { scene, claim, read, write, reads, writes, dialect: write.dialect })
    }

    /// What the read reads.
    fn source(&self) -> Option<&'a TableAccess> {
        self.reads.statement.accesses.get(self.claim.sequence.read_access)
    }

    /// What the write writes.
    fn target(&self) -> Option<&'a TableAccess> {
        self.writes.statement.target()
    }

    fn words(&self, access: &'a Access, table: &'a TableAccess) -> words::Words<'a, 'p> {
        words::Words { scene: self.scene, access, table: &table.table.name, dialect: self.dialect, qualified: false }
    }

    /// Whether what goes by as the row may come from somewhere else, such as a cache, where no lock holds it.
    fn may_be_cached(&self) -> bool {
        let terms = &self.scene.ev.terms;
        let (sets, checks) = (self.target().map(|target| target.sets.as_slice()), &self.claim.sequence.checks);
        let given = sets.unwrap_or_default().iter().flat_map(|set| self.scene.terms_in(self.writes, &set.value));
        let asked = checks.iter().filter_map(|check| Some(self.scene.ev.cond(check.cond?).term));
        let read = |part: &TermId| terms.origins(*part).iter().any(|origin| origin.event == self.read.id);
        let kept = |part: &TermId| {
            matches!(terms.get(*part), Term::Field(..)) && !terms.matters(*part) && !terms.is_constant(*part)
        };
        let mut found = false;
        for term in given.chain(asked) {
            terms.walk(term, &mut |part| {
                if let Term::Either(parts) = terms.get(part) {
                    found |= parts.iter().any(read) && parts.iter().any(kept);
                }
            });
        }
        found
    }

    /// Whether the client can read, check and write inside one transaction.
    fn holds_transactions(&self) -> bool {
        let name = outcome::client(*self);
        self.scene.ev.clients.iter().all(|client| client.name != name || client.interactive)
    }

    fn style(&self) -> sql::Style {
        sql::Style::of(self.writes, self.dialect)
    }

    /// Whether a value of the write comes from the read.
    fn is_stale(&self, value: &Operand) -> bool {
        self.scene
            .terms_in(self.writes, value)
            .iter()
            .any(|term| self.scene.ev.terms.origins(*term).iter().any(|origin| origin.event == self.read.id))
    }

    /// Whether a set is deleted that was read: no row is there to be locked for one that is added.
    fn empties(&self) -> bool {
        let deletes = self.target().is_some_and(|target| target.action == Action::Delete);
        deletes && self.claim.sequence.relation == Relation::RowOfSet
    }

    /// Whether what was read is set back: no statement computes that from the old value.
    fn begins_anew(&self) -> bool {
        self.claim.sequence.values.iter().any(|value| reset::sets_back(self.scene, self.write, &value.column))
    }

    fn found(&self) -> Vec<Rewrite> {
        let case = *self;
        let all: Vec<Option<Rewrite>> = match self.claim.rule {
            lost_update::ID if self.empties() && self.claim.sequence.values.is_empty() => vec![atomic::rewrite(case)],
            lost_update::ID if self.empties() => {
                vec![(self.dialect == Dialect::Sqlite).then(row_lock::immediate)]
            }
            lost_update::ID if own_number::column(self.scene, &self.claim.sequence).is_some() => Vec::new(),
            lost_update::ID if self.begins_anew() => vec![row_lock::rewrite(case)],
            check_then_update::ID | lost_update::ID if self.inserts() => {
                let alone = upsert::changed_only(case).or_else(|| unique_key::rewrite(case));
                vec![alone, upsert::unchanged(case), row_lock::rewrite(case), parent::lock(case)]
            }
            check_then_update::ID => {
                vec![atomic::rewrite(case), row_lock::rewrite(case), atomic::compare_and_set(case)]
            }
            lost_update::ID => {
                let alone = atomic::rewrite(case).or_else(|| atomic::changed_only(case));
                vec![alone, row_lock::rewrite(case), atomic::compare_and_set(case)]
            }
            unsafe_claim::ID => {
                let lock = row_lock::skipping(case).or_else(|| row_lock::rewrite(case));
                vec![pick::rewrite(case), lock, atomic::rewrite(case)]
            }
            // A row that is there is meant to be written over.
            check_then_insert::ID if self.replaces() => vec![atomic::rewrite(case), upsert::unchanged(case)],
            check_then_insert::ID => {
                let by_key = [unique_key::index(case), unique_key::rewrite(case)];
                let told = by_key.iter().any(Option::is_some);
                let shared = parent::lock(case).or_else(|| parent::advisory(case).filter(|_| !told));
                by_key.into_iter().chain([shared]).collect()
            }
            stale_guard::ID => {
                let shared = row_lock::rewrite(case).or_else(|| parent::lock(case)).or_else(|| parent::advisory(case));
                vec![shared, Some(parent::isolation(&case))]
            }
            double_fire::ID => vec![claim_first::rewrite(case), row_lock::rewrite(case)],
            lock_lost::ID => vec![
                row_lock::repaired(case),
                parent::lock(case),
                unique_key::index(case),
                unique_key::rewrite(case),
                atomic::rewrite(case),
                atomic::compare_and_set(case),
            ],
            racy_statement::ID => self.racy(),
            unchecked_outcome::ID => vec![Some(outcome::rewrite(case))],
            table_lock::ID => vec![row_lock::instead_of_table(case)],
            _ => Vec::new(),
        };
        all.into_iter().flatten().collect()
    }

    /// Whether a row that is there is judged by what it holds, and written over.
    fn replaces(&self) -> bool {
        self.claim.tried.contains(&WhyNot::ConflictOverwrites) && self.claim.sequence.checks_content()
    }

    fn inserts(&self) -> bool {
        self.target().is_some_and(|target| target.action == Action::Insert)
    }

    fn racy(&self) -> Vec<Option<Rewrite>> {
        let case = *self;
        let places: Vec<Place> = self.writes.statement.accesses.iter().skip(1).map(|access| access.place).collect();
        if !self.inserts() {
            return vec![pick::locked_within(case), row_lock::before_statement(case)];
        }
        match places.contains(&Place::NotExists) {
            true => vec![unique_key::index(case), unique_key::rewrite(case)],
            false => vec![unique_key::numbered(case), parent::lock(case), parent::advisory(case)],
        }
    }
}
