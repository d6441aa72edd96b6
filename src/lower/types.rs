//! Types, paths, generic parameters and bounds.

use syn::punctuated::Punctuated;
use syn::{GenericArgument, GenericParam, PathArguments, ReturnType, Token, Type, TypeParamBound, WherePredicate};

use super::tree::{Generic, Name, Segment, Ty, TyPath};
use super::{DEPTH, Lowering, name};

impl Lowering {
    pub fn ty(&mut self, written: &Type) -> Ty {
        if self.depth >= DEPTH {
            return Ty::Other;
        }
        self.depth += 1;
        let lowered = self.ty_within(written);
        self.depth -= 1;
        lowered
    }

    fn ty_within(&mut self, written: &Type) -> Ty {
        match written {
            Type::Path(path) => Ty::Path(self.ty_path(path.qself.as_ref(), &path.path)),
            Type::Reference(reference) => Ty::Ref(Box::new(self.ty(&reference.elem))),
            Type::Paren(paren) => self.ty(&paren.elem),
            Type::Group(group) => self.ty(&group.elem),
            Type::Tuple(tuple) => Ty::Tuple(tuple.elems.iter().map(|elem| self.ty(elem)).collect()),
            Type::Slice(slice) => Ty::Slice(Box::new(self.ty(&slice.elem))),
            Type::Array(array) => Ty::Slice(Box::new(self.ty(&array.elem))),
            Type::ImplTrait(bounded) => Ty::Impl(self.bounds(&bounded.bounds)),
            Type::TraitObject(object) => Ty::Dyn(self.bounds(&object.bounds)),
            Type::FnPtr(pointer) => {
                let inputs = pointer.inputs.iter().map(|input| self.ty(&input.ty)).collect();
                Ty::Fn(inputs, Box::new(self.return_ty(&pointer.output)))
            }
            Type::Infer(_) => Ty::Infer,
            Type::Never(_) => Ty::Never,
            _ => Ty::Other,
        }
    }

    pub fn return_ty(&mut self, written: &ReturnType) -> Ty {
        match written {
            ReturnType::Default => Ty::Tuple(Vec::new()),
            ReturnType::Type(_, ty) => self.ty(ty),
        }
    }

    pub fn ty_path(&mut self, qself: Option<&syn::QSelf>, path: &syn::Path) -> TyPath {
        TyPath {
            qself: qself.map(|qself| Box::new(self.ty(&qself.ty))),
            segments: path.segments.iter().map(|segment| self.segment(segment)).collect(),
        }
    }

    fn segment(&mut self, segment: &syn::PathSegment) -> Segment {
        let mut lowered = Segment { name: name(&segment.ident), args: Vec::new(), bindings: Vec::new() };
        match &segment.arguments {
            PathArguments::None => {}
            PathArguments::AngleBracketed(angle) => {
                for argument in &angle.args {
                    match argument {
                        GenericArgument::AssocType(assoc) => {
                            lowered.bindings.push((name(&assoc.ident), self.ty(&assoc.ty)))
                        }
                        GenericArgument::Constraint(constraint) => {
                            let bounds = self.bounds(&constraint.bounds);
                            lowered.bindings.push((name(&constraint.ident), Ty::Impl(bounds)));
                        }
                        _ => lowered.args.extend(self.type_argument(argument)),
                    }
                }
            }
            PathArguments::Parenthesized(call) => {
                lowered.args = call.inputs.iter().map(|input| self.ty(&input.ty)).collect();
                lowered.bindings.push((Name::new_static("Output"), self.return_ty(&call.output)));
            }
        }
        lowered
    }

    /// The types of a turbofish.
    pub fn turbofish(&mut self, angle: Option<&syn::AngleBracketedGenericArguments>) -> Vec<Ty> {
        let Some(angle) = angle else { return Vec::new() };
        angle.args.iter().filter_map(|argument| self.type_argument(argument)).collect()
    }

    fn type_argument(&mut self, argument: &GenericArgument) -> Option<Ty> {
        let GenericArgument::Type(ty) = argument else { return None };
        Some(self.ty(ty))
    }

    /// The traits among bounds; lifetimes, captures and `?Sized` are none.
    pub fn bounds(&mut self, bounds: &Punctuated<TypeParamBound, Token![+]>) -> Vec<Ty> {
        let traits = bounds.iter().filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) if bound.maybe.is_none() => Some(&bound.path),
            _ => None,
        });
        traits.map(|path| Ty::Path(self.ty_path(None, path))).collect()
    }

    /// Type parameters with the bounds of the where clause; lifetimes and constants are left out.
    pub fn generics(&mut self, generics: &syn::Generics) -> Vec<Generic> {
        let mut lowered: Vec<Generic> = Vec::new();
        for param in &generics.params {
            if let GenericParam::Type(param) = param {
                lowered.push(Generic { name: name(&param.ident), bounds: self.bounds(&param.bounds) });
            }
        }
        for (bounded, bounds) in predicates(generics) {
            let (bounded, bounds) = (name(bounded), self.bounds(bounds));
            if let Some(generic) = lowered.iter_mut().find(|generic| generic.name == bounded) {
                generic.bounds.extend(bounds);
            }
        }
        lowered
    }

    /// What a trait's where clause asks of `Self`, as if it stood behind the trait's name.
    pub fn bounds_of_self(&mut self, generics: &syn::Generics) -> Vec<Ty> {
        let of_self = predicates(generics).filter(|(bounded, _)| *bounded == "Self");
        of_self.flat_map(|(_, bounds)| self.bounds(bounds)).collect()
    }
}

/// The plain names in a where clause, each with its bounds.
fn predicates(generics: &syn::Generics) -> impl Iterator<Item = (&syn::Ident, &Punctuated<TypeParamBound, Token![+]>)> {
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    predicates.filter_map(|predicate| {
        let WherePredicate::Type(predicate) = predicate else { return None };
        let Type::Path(bounded) = &predicate.bounded_ty else { return None };
        Some((bounded.path.get_ident()?, &predicate.bounds))
    })
}
