//! What type parameters stand for: a call hands on the types that it names or that its arguments have, so that
//! `M::find(…)` in a generic function is the one of the type that its caller means, however many functions hand it on.
//!
//! The types are arguments behind the others: a literal for a type that is known, the caller's own type parameter, or
//! something that nothing is known of.

use rustc_hash::FxHashMap;

use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;
use crate::link::{FnId, Type};
use crate::lower::tree::{Name, Segment, Ty, TyPath};

/// What stands for the type that has a trait in the trait's own methods.
const SELF: &str = "Self";
/// How deep written types are compared.
const DEPTH: usize = 8;

/// The types that a call names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// Those between `<` and `>` behind the function's name.
    pub types: Vec<Type>,
    written: Vec<Ty>,
    /// The type before the function's name, as it is written.
    owner: Option<Ty>,
    /// The same as far as it is known, or the type that a method is called on.
    on: Option<Type>,
    /// The type parameter that the function is one of.
    pub of_parameter: Option<TermId>,
}

/// The name that a type goes by; none for one that is not known well enough.
pub(super) fn type_name(ty: &Type) -> Option<Name> {
    match ty {
        Type::Def(id, _) => Some(Name::new(format!("type {id:?}"))),
        Type::External(path, _) => path.last().map(|name| Name::new(format!("type {name}"))),
        _ => None,
    }
}

/// The name of a type parameter among the variables.
fn hidden(name: &str) -> Name {
    Name::new(format!("<{name}>"))
}

impl<'p> Evaluator<'p> {
    /// Gives the type parameters of a function their terms, which stand behind its parameters; or what a call hands in,
    /// where the body is evaluated for that one.
    pub(super) fn bind_types(&mut self, id: FnId, args: Option<&[Value]>) {
        let names = self.program.type_parameters(id);
        let function = self.program.function(id);
        let first = function.params.len() + usize::from(function.receiver.is_some());
        for (at, name) in names.into_iter().enumerate() {
            let Ok(place) = u16::try_from(first + at) else { return };
            let value = match args {
                Some(args) => args.get(first + at).cloned().unwrap_or_else(|| self.fresh()),
                None => Value::new(self.terms.intern(Term::Param(id, place)), Type::Unknown),
            };
            self.frame.env.push((hidden(&name), value));
        }
    }

    /// The types that a path names.
    pub(super) fn named_in(&self, path: &TyPath) -> Named {
        let Some((last, outer)) = path.segments.split_last() else { return Named::default() };
        let owner = match &path.qself {
            Some(base) => Some((**base).clone()),
            None if outer.is_empty() => None,
            None => Some(Ty::Path(TyPath { qself: None, segments: outer.to_vec() })),
        };
        Named {
            types: self.types_of(&last.args),
            written: last.args.clone(),
            of_parameter: owner.as_ref().and_then(|owner| self.parameter(owner)),
            on: owner.as_ref().map(|ty| self.program.ty(self.frame.scope, Some(self.frame.function), ty)),
            owner,
        }
    }

    /// The types that a method call names.
    pub(super) fn named_by(&self, generics: &[Ty], recv: &Value) -> Named {
        Named {
            types: self.types_of(generics),
            written: generics.to_vec(),
            owner: None,
            on: Some(recv.ty.clone()),
            of_parameter: self.parameter_of(recv),
        }
    }

    /// The type arguments of a call, in the order of the function's type parameters.
    pub(super) fn type_arguments(&mut self, id: FnId, args: &[Value], named: &Named) -> Vec<Value> {
        let program = self.program;
        let names = program.type_parameters(id);
        if names.is_empty() {
            return Vec::new();
        }
        let function = program.function(id);
        let mut known: FxHashMap<Name, TermId> = FxHashMap::default();
        for (generic, ty) in function.generics.iter().zip(&named.written) {
            self.tell(&generic.name, ty, &mut known);
        }
        let this = self.written_self(id);
        if let Some(owner) = &named.owner {
            self.compare(&this, owner, &names, &mut known, 0);
        }
        if let Some(term) = named.of_parameter {
            known.entry(Name::new(SELF)).or_insert(term);
        }
        let receiver = function.receiver.as_ref().map(|_| &this);
        let written = receiver.into_iter().chain(function.params.iter().map(|param| &param.ty));
        for (ty, arg) in written.zip(args) {
            if let Some(handed) = self.written_type(arg.term) {
                self.compare(ty, &handed, &names, &mut known, 0);
            }
        }
        let sure = |arg: &Value| if self.terms.is_one_of_several(arg.term) { Type::Unknown } else { arg.ty.clone() };
        let self_ty = receiver.and(args.first()).map(sure).or_else(|| named.on.clone());
        let types: Vec<Type> = args.iter().skip(usize::from(receiver.is_some())).map(sure).collect();
        for (name, ty) in program.type_values(id, self_ty.as_ref(), &types) {
            if let Some(ty) = type_name(&ty) {
                let term = self.terms.literal(&ty);
                known.entry(name).or_insert(term);
            }
        }
        names
            .iter()
            .map(|name| known.get(name).map_or_else(|| self.fresh(), |term| Value::new(*term, Type::Unknown)))
            .collect()
    }

    /// Compares a type of the callee's signature with one that is written here, and keeps what that says of the callee's
    /// type parameters.
    fn compare(&mut self, theirs: &Ty, here: &Ty, names: &[Name], known: &mut FxHashMap<Name, TermId>, depth: usize) {
        let (theirs, here) = (bare(theirs), bare(here));
        let Ty::Path(TyPath { qself: None, segments }) = theirs else { return };
        let Some((first, rest)) = segments.split_first().filter(|_| depth < DEPTH) else { return };
        if names.contains(&first.name) && rest.is_empty() {
            return self.tell(&first.name, here, known);
        }
        let Ty::Path(TyPath { qself: None, segments: others }) = here else { return };
        // `M::Key` handed on as `T::Key`.
        if names.contains(&first.name) {
            if others.len() == segments.len() && others[1..].iter().zip(rest).all(|(a, b)| a.name == b.name) {
                let base = Ty::Path(TyPath { qself: None, segments: vec![others[0].clone()] });
                if self.parameter(&base).is_some() {
                    self.tell(&first.name, &base, known);
                }
            }
            return;
        }
        let (Some(theirs), Some(here)) = (segments.last(), others.last()) else { return };
        if theirs.name == here.name {
            for (theirs, here) in theirs.args.iter().zip(&here.args) {
                self.compare(theirs, here, names, known, depth + 1);
            }
        }
    }

    /// Notes the type that is written here for a type parameter of a callee.
    fn tell(&mut self, name: &Name, ty: &Ty, known: &mut FxHashMap<Name, TermId>) {
        let term = self.parameter(ty).or_else(|| {
            let ty = self.program.ty(self.frame.scope, Some(self.frame.function), ty);
            type_name(&ty).map(|name| self.terms.literal(&name))
        });
        if let Some(term) = term {
            known.entry(name.clone()).or_insert(term);
        }
    }

    fn types_of(&self, written: &[Ty]) -> Vec<Type> {
        written.iter().map(|ty| self.program.ty(self.frame.scope, Some(self.frame.function), ty)).collect()
    }

    /// The type parameter that a type is, as it is written here.
    fn parameter(&self, ty: &Ty) -> Option<TermId> {
        let Ty::Path(TyPath { qself: None, segments }) = bare(ty) else { return None };
        let [segment] = segments.as_slice() else { return None };
        self.lookup(&hidden(&segment.name)).map(|value| value.term)
    }

    /// The type parameter that a value is of: that of the parameter that it is, or the only one with such bounds.
    fn parameter_of(&self, value: &Value) -> Option<TermId> {
        if let Some(written) = self.written_type(value.term) {
            return self.parameter(&written);
        }
        if !matches!(value.ty, Type::Trait(_)) {
            return None;
        }
        let bound = self.program.type_bounds(self.frame.function);
        let mut same = bound.into_iter().filter(|(_, ty)| *ty == value.ty);
        let (name, _) = same.next()?;
        if same.next().is_some() { None } else { self.lookup(&hidden(&name)).map(|value| value.term) }
    }

    /// The type that a parameter of the function is written with.
    fn written_type(&self, term: TermId) -> Option<Ty> {
        let Term::Param(of, place) = self.terms.get(term) else { return None };
        if *of != self.frame.function {
            return None;
        }
        let function = self.program.function(*of);
        match usize::from(*place).checked_sub(usize::from(function.receiver.is_some())) {
            Some(place) => function.params.get(place).map(|param| param.ty.clone()),
            None => Some(self.written_self(*of)),
        }
    }

    /// How the type that a method belongs to is written.
    fn written_self(&self, id: FnId) -> Ty {
        if let Some(block) = self.program.impl_of(id) {
            return self.program.impl_def(block).self_ty.clone();
        }
        let segment = Segment { name: Name::new(SELF), args: Vec::new(), bindings: Vec::new() };
        Ty::Path(TyPath { qself: None, segments: vec![segment] })
    }

    /// Of the functions that a call may mean, those of the type that is known.
    pub(super) fn of_known_type(&self, functions: &[FnId], on: Option<TermId>) -> Option<Vec<FnId>> {
        let Term::Literal(name) = self.terms.get(on?) else { return None };
        let arms = self.types_of_candidates(functions);
        let of = |arm: &Option<Vec<Name>>| arm.as_ref().is_some_and(|names| names.contains(name));
        let found: Vec<FnId> = functions.iter().zip(&arms).filter(|(_, arm)| of(arm)).map(|(id, _)| *id).collect();
        (!found.is_empty()).then_some(found)
    }

    /// The names of the types that each of several functions of one name is for; none for one that is for any.
    pub(super) fn types_of_candidates(&self, functions: &[FnId]) -> Vec<Option<Vec<Name>>> {
        let program = self.program;
        let of = |id: &FnId| match (program.impl_of(*id), program.trait_of(*id)) {
            (Some(block), _) => type_name(program.impl_subject(block).1).map(|name| vec![name]),
            (None, Some(of)) => {
                let name = &program.function(*id).name;
                let own = |function: &FnId| program.function(*function).name == *name;
                let blocks = program.impls_of_trait(of).iter();
                let without = blocks.filter(|block| !program.impl_functions(**block).iter().any(own));
                without.map(|block| type_name(program.impl_subject(*block).1)).collect()
            }
            (None, None) => None,
        };
        functions.iter().map(of).collect()
    }
}

/// A type without its references.
fn bare(mut ty: &Ty) -> &Ty {
    while let Ty::Ref(inner) = ty {
        ty = inner;
    }
    ty
}
