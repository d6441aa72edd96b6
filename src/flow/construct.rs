//! Values that code which is not there makes: the builders that a derive macro generates, `Job::builder().name(x).build()`,
//! `JobBuilder::default()`, its defaults, and what another crate keeps by its type.
//!
//! Sources: docs.rs of typed-builder, bon and derive_builder.

use std::sync::Arc;

use crate::client::handles;
use crate::flow::value::{Shape, Value};
use crate::flow::{Evaluator, branch};
use crate::link::{Type, TypeId};
use crate::lower::tree::{MethodCall, Name, Ty, TyPath};

/// The part of an unfinished value that holds its type.
const UNFINISHED: &str = "<builder>";

impl<'p> Evaluator<'p> {
    /// The type of the program, or of a handle, that a method of another crate is asked for a value of:
    /// `context.data::<Ledger>()`, `request.app_data::<PgPool>()`.
    pub(super) fn asked_for(&self, call: &MethodCall) -> Type {
        let [asked] = call.generics.as_slice() else { return Type::Unknown };
        match self.program.ty(self.frame.scope, Some(self.frame.function), asked) {
            ty @ Type::Def(..) => ty,
            ty if handles::handle_of(&ty, &self.clients).is_some() => ty,
            _ => Type::Unknown,
        }
    }

    /// What such a builder begins with.
    pub(super) fn generated_builder(&mut self, path: &TyPath, args: &[Value]) -> Option<Value> {
        let (last, outer) = path.segments.split_last()?;
        if !args.is_empty() || !matches!(last.name.as_str(), "builder" | "default" | "new") {
            return None;
        }
        let mut segments = outer.to_vec();
        if last.name != "builder" {
            // derive_builder names its type after the struct.
            let owner = segments.last_mut()?;
            owner.name = Name::new(owner.name.strip_suffix("Builder").filter(|name| !name.is_empty())?);
            owner.args.clear();
        }
        let written = Ty::Path(TyPath { qself: path.qself.clone(), segments });
        let ty = self.program.ty(self.frame.scope, Some(self.frame.function), &written);
        self.builds(&ty)?;
        let of = self.fresh().typed(ty.clone());
        let parts = vec![(Name::new(UNFINISHED), of)];
        Some(self.fresh().typed(ty).shaped(Shape::Record(Arc::new(parts))))
    }

    /// `Patch::default()` of a struct that derives it.
    pub(super) fn generated_default(&mut self, path: &TyPath, args: &[Value]) -> Option<Value> {
        let (last, outer) = path.segments.split_last()?;
        if !args.is_empty() || last.name != "default" {
            return None;
        }
        let written = Ty::Path(TyPath { qself: path.qself.clone(), segments: outer.to_vec() });
        let ty = self.program.ty(self.frame.scope, Some(self.frame.function), &written);
        let Type::Def(id, _) = &ty else { return None };
        let derived = self.program.derives(*id).contains(&"Default");
        derived.then(|| self.fresh().typed(ty))
    }

    /// The type, when a derive gives it a builder.
    fn builds(&self, ty: &Type) -> Option<TypeId> {
        let Type::Def(id, _) = ty else { return None };
        self.program.derives(*id).iter().any(|derive| derive.ends_with("Builder")).then_some(*id)
    }

    /// `builder.name(value)` and `builder.build()`.
    pub(super) fn filled_in(&mut self, recv: &Value, name: &str, args: &[Value]) -> Option<Value> {
        let of = recv.part(UNFINISHED)?.ty.clone();
        let Shape::Record(parts) = &recv.shape else { return None };
        let mut parts: Vec<(Name, Value)> = (**parts).clone();
        match args {
            [] if matches!(name, "build" | "try_build") => parts.retain(|(part, _)| part != UNFINISHED),
            [value] => {
                let name = name.strip_prefix("maybe_").unwrap_or(name);
                self.program.field(&of, name)?;
                parts.retain(|(part, _)| part != name);
                parts.push((Name::new(name), value.clone()));
            }
            _ => return None,
        }
        let term = self.terms.record(parts.iter().map(|(name, part)| (name, part.term)), None);
        let guards: Vec<_> = parts.iter().flat_map(|(_, part)| part.guards.iter().copied()).collect();
        let mut value = Value::new(term, of).shaped(Shape::Record(Arc::new(parts)));
        value.guards = branch::union(&recv.guards, &guards);
        Some(value)
    }
}
