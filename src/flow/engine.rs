//! Which engine is meant by code that is built only where a feature has chosen one, `#[cfg(feature = "lite")]`, `cfg!`, and by
//! code that is run only where a value is one engine's variant of an enum.

use rustc_hash::FxHashMap;

use crate::client::Client;
use crate::client::handles::{self, Handle};
use crate::dialect::Dialect;
use crate::flow::Evaluator;
use crate::flow::term::TermId;
use crate::link::{Def, FnId, Program, TypeId};
use crate::lower::features::holds;
use crate::lower::tree::{Expr, ExprKind, Name, Pat, TyPath, TypeKind, UnOp};
use crate::source::Crate;

/// The engines of the handles that the variants of enums hold, of those enums that hold handles of several engines.
pub(super) fn of_variants(program: &Program, clients: &[&Client]) -> FxHashMap<(TypeId, Name), Dialect> {
    let mut all = FxHashMap::default();
    for id in program.types() {
        let TypeKind::Enum(variants) = &program.type_def(id).kind else { continue };
        let holding = variants.iter().filter(|variant| !variant.fields.is_empty());
        let found: Vec<(&Name, Dialect)> = holding
            .filter_map(|variant| {
                let fields = program.variant_fields(id, &variant.name);
                let engine = fields.iter().find_map(|(_, ty)| handles::handle_of(ty, clients)?.dialect)?;
                Some((&variant.name, engine))
            })
            .collect();
        if found.iter().any(|(_, engine)| *engine != found[0].1) {
            all.extend(found.into_iter().map(|(name, engine)| ((id, name.clone()), engine)));
        }
    }
    all
}

impl Evaluator<'_> {
    /// The engine that the function's package talks to, as far as its manifest says, in a build that has the function.
    pub(super) fn dialect_of(&self, id: FnId) -> Option<Dialect> {
        let krate = &self.workspace.crates[self.program.krate_of(id)?];
        let conditions =
            self.program.function(id).attrs.iter().filter(|attr| matches!(&*attr.path, [cfg] if cfg == "cfg"));
        let chosen = conditions.map(|attr| &attr.tokens).find_map(|condition| only_built_for(krate, condition));
        chosen.or_else(|| krate.dialects.first().copied())
    }

    /// The engines of the two arms of an `if`, where its condition is which features are on, or which variant a
    /// value is.
    pub(super) fn engines_of_arms(&self, cond: &Expr) -> [Option<Dialect>; 2] {
        if let ExprKind::Let(pat, _) = &*cond.kind {
            return [self.engine_of_pattern(pat), None];
        }
        let engines = || {
            let condition = self.features_asked(cond)?;
            let krate = &self.workspace.crates[self.program.krate_of(self.frame.function)?];
            Some([condition.clone(), format!("not({condition})")].map(|condition| only_built_for(krate, &condition)))
        };
        engines().unwrap_or_default()
    }

    /// The engine that is behind a value in an arm, by the pattern that chose it: `Store::File(pool)`, where the enum has
    /// handles of other engines in other variants.
    pub(super) fn engine_of_pattern(&self, pat: &Pat) -> Option<Dialect> {
        match pat {
            Pat::TupleStruct(path, parts) => {
                self.engine_of_variant(path).or_else(|| parts.iter().find_map(|part| self.engine_of_pattern(part)))
            }
            Pat::Struct(path, fields) => self
                .engine_of_variant(path)
                .or_else(|| fields.iter().find_map(|(_, part)| self.engine_of_pattern(part))),
            Pat::Ref(inner) | Pat::Bind(_, Some(inner), _) => self.engine_of_pattern(inner),
            Pat::Tuple(parts) => parts.iter().find_map(|part| self.engine_of_pattern(part)),
            _ => None,
        }
    }

    /// Whether a value is known to be a handle. One that is the handle of one engine in one arm and that of another in the next
    /// says nothing of its engine: the arm does.
    ///
    /// In: what is said of its engine now.
    pub(super) fn is_handle_already(&mut self, term: TermId, now: impl FnOnce(&Self) -> Option<Dialect>) -> bool {
        let Some(known) = self.handles.get(&term).copied() else { return false };
        if known.dialect.is_some_and(|before| now(self).is_some_and(|now| now != before)) {
            self.handles.insert(term, Handle { dialect: None, ..known });
        }
        true
    }

    fn engine_of_variant(&self, path: &TyPath) -> Option<Dialect> {
        if self.engines.is_empty() {
            return None;
        }
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name.clone()).collect();
        self.program.resolve(self.frame.scope, &names).into_iter().find_map(|def| match def {
            Def::Variant(of, own) => self.engines.get(&(of, own)).copied(),
            _ => None,
        })
    }

    /// The condition of `cfg!(…)`, or of its opposite.
    fn features_asked(&self, cond: &Expr) -> Option<String> {
        match &*cond.kind {
            ExprKind::Macro(call) if matches!(&*call.path, [.., cfg] if cfg == "cfg") => {
                Some(call.tokens.of(self.frame.text).to_owned())
            }
            ExprKind::Unary(UnOp::Not, of) => Some(format!("not({})", self.features_asked(of)?)),
            _ => None,
        }
    }
}

/// The engine of the builds in which a condition holds, where that is another one than the package is built for by default.
fn only_built_for(krate: &Crate, condition: &str) -> Option<Dialect> {
    let default = *krate.dialects.first()?;
    let chosen = |dialect: Dialect| krate.choosing.iter().any(|(_, other)| *other == dialect);
    let built = |dialect: &Dialect| {
        let others = |feature: &Name| krate.choosing.iter().any(|(name, of)| name == feature && of != dialect);
        let own = krate.choosing.iter().filter(|(_, of)| of == dialect).map(|(name, _)| name);
        let on = krate.features.iter().filter(|feature| !others(feature)).chain(own);
        holds(condition, &on.cloned().collect::<Vec<_>>()) != Some(false)
    };
    if !chosen(default) || built(&default) {
        return None;
    }
    krate.choosing.iter().map(|(_, dialect)| *dialect).find(built)
}
