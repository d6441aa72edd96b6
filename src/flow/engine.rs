//! Which engine is meant by code that is built only where a feature has chosen one: `#[cfg(feature = "lite")]`, `cfg!`.

use crate::dialect::Dialect;
use crate::flow::Evaluator;
use crate::link::FnId;
use crate::lower::features::holds;
use crate::lower::tree::{Expr, ExprKind, Name, UnOp};
use crate::source::Crate;

impl Evaluator<'_> {
    /// The engine that the function's package talks to, as far as its manifest says, in a build that has the function.
    pub(super) fn dialect_of(&self, id: FnId) -> Option<Dialect> {
        let krate = &self.workspace.crates[self.program.krate_of(id)?];
        let conditions =
            self.program.function(id).attrs.iter().filter(|attr| matches!(&*attr.path, [cfg] if cfg == "cfg"));
        let chosen = conditions.map(|attr| &attr.tokens).find_map(|condition| only_built_for(krate, condition));
        chosen.or_else(|| krate.dialects.first().copied())
    }

    /// The engines of the two arms of an `if`, where its condition is which features are on.
    pub(super) fn engines_of_arms(&self, cond: &Expr) -> [Option<Dialect>; 2] {
        let engines = || {
            let condition = self.features_asked(cond)?;
            let krate = &self.workspace.crates[self.program.krate_of(self.frame.function)?];
            Some([condition.clone(), format!("not({condition})")].map(|condition| only_built_for(krate, &condition)))
        };
        engines().unwrap_or_default()
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
