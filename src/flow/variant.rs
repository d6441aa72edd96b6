//! Which ways lead to which variant of an enum.
//!
//! A function reads a row on one way and says `Move { row }`, and on another it says `Fresh`. Who comes to the arm for
//! `Fresh` has not read that row, though both are one value of one type.

use std::sync::Arc;

use crate::event::{Lead, Path};
use crate::flow::Evaluator;
use crate::flow::absent::takes_all;
use crate::flow::mapping::Mapping;
use crate::flow::value::Value;
use crate::link::{Def, TypeId};
use crate::lower::tree::{Name, Pat, TyPath};

/// How many ways are kept of one value.
const WAYS: usize = 32;

/// The variants that a value may be, each with a way that leads to it.
#[derive(Debug)]
pub struct Variants {
    of: TypeId,
    ways: Vec<(Name, Path)>,
}

impl Variants {
    /// The enum.
    pub(super) fn of(&self) -> TypeId {
        self.of
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.ways.iter().map(|(name, _)| name)
    }
}

/// What a pattern asks of a value.
enum Asks {
    /// One of these variants; `all` where it takes them whatever they hold.
    For { names: Vec<Name>, all: bool },
    /// Nothing.
    Nothing,
    /// Something else.
    Other,
}

impl<'p> Evaluator<'p> {
    /// A value that was made as a variant, by the path that names it.
    pub(super) fn as_variant(&self, path: &TyPath, value: Value) -> Value {
        match self.variant_named(path) {
            Some((of, name)) => {
                let variants = Variants { of, ways: vec![(name, Path::default())] };
                Value { variants: Some(Arc::new(variants)), ..value }
            }
            None => value,
        }
    }

    pub(super) fn variant_named(&self, path: &TyPath) -> Option<(TypeId, Name)> {
        self.program.path(self.frame.scope, Some(self.frame.function), path).into_iter().find_map(|def| match def {
            Def::Variant(of, name) => Some((of, name)),
            _ => None,
        })
    }

    /// The variants of one of several values, each at the end of a way of its own where that is known.
    pub(super) fn merged_variants(&self, values: &[&Value], ways: &[Path]) -> Option<Arc<Variants>> {
        let mut merged: Option<Variants> = None;
        for (place, value) in values.iter().enumerate().filter(|(_, value)| !self.is_error(value)) {
            let own = value.variants.as_ref()?;
            let all = merged.get_or_insert_with(|| Variants { of: own.of, ways: Vec::new() });
            if all.of != own.of || all.ways.len() + own.ways.len() > WAYS {
                return None;
            }
            let led = own.ways.iter().filter_map(|(name, way)| match ways.get(place) {
                Some(outer) => Some((name.clone(), way.within(outer)?)),
                None => Some((name.clone(), way.clone())),
            });
            all.ways.extend(led);
        }
        merged.map(Arc::new)
    }

    /// What a called function's value may be, where it is called.
    pub(super) fn map_variants(&mut self, variants: &Variants, map: &mut Mapping<'_>) -> Arc<Variants> {
        let ways = variants.ways.iter().map(|(name, way)| (name.clone(), self.map_path(way, map))).collect();
        Arc::new(Variants { of: variants.of, ways })
    }

    /// Remembers of the arms of a branch by which ways a value comes to them.
    pub(super) fn note_leads(&mut self, branch: u32, value: &Value, arms: &[(&Pat, bool)]) {
        let Some(variants) = value.variants.clone() else { return };
        let mut taken: Vec<Name> = Vec::new();
        for (place, (pat, guarded)) in arms.iter().enumerate().take(63) {
            let leads: Vec<Path> = match self.asks_for(pat, variants.of) {
                Asks::For { names, all } => {
                    let leads = variants.ways.iter().filter(|(name, _)| names.contains(name));
                    let leads = leads.map(|(_, way)| way.clone()).collect();
                    if all && !*guarded {
                        taken.extend(names);
                    }
                    leads
                }
                Asks::Nothing => {
                    let rest = variants.ways.iter().filter(|(name, _)| !taken.contains(name));
                    rest.map(|(_, way)| way.clone()).collect()
                }
                Asks::Other => continue,
            };
            // Where none is known, one was made that was not seen.
            if !leads.is_empty() && leads.len() < variants.ways.len() {
                self.frame.leads.push(Lead { branch, arms: 1 << place, ways: leads.into() });
            }
        }
    }

    fn asks_for(&self, pat: &Pat, of: TypeId) -> Asks {
        let named = |path: &TyPath, all: bool| match self.variant_named(path) {
            Some((known, name)) if known == of => Asks::For { names: vec![name], all },
            _ => Asks::Other,
        };
        match pat {
            Pat::Wild | Pat::Bind(_, None, _) => Asks::Nothing,
            Pat::Ref(inner) | Pat::Bind(_, Some(inner), _) => self.asks_for(inner, of),
            Pat::TupleStruct(path, inner) => {
                match (path.segments.last().map(|last| last.name.as_str()), inner.as_slice()) {
                    (Some("Some" | "Ok"), [inner]) => self.asks_for(inner, of),
                    _ => named(path, inner.iter().all(takes_all)),
                }
            }
            Pat::Struct(path, fields) => named(path, fields.iter().all(|(_, pat)| takes_all(pat))),
            Pat::Path(path) => named(path, true),
            Pat::Or(several) => {
                let (mut found, mut whole) = (Vec::new(), true);
                for one in several {
                    match self.asks_for(one, of) {
                        Asks::For { names, all } => {
                            found.extend(names);
                            whole &= all;
                        }
                        other => return other,
                    }
                }
                Asks::For { names: found, all: whole }
            }
            _ => Asks::Other,
        }
    }

    /// What a called function knows of its branches.
    pub(super) fn place_leads(&mut self, leads: &[Lead], map: &mut Mapping<'_>) {
        for lead in leads {
            let branch = self.map_branch(lead.branch, map);
            let ways = lead.ways.iter().map(|way| self.map_path(way, map)).collect();
            self.frame.leads.push(Lead { branch, ways, ..*lead });
        }
    }
}
