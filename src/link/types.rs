//! Types as far as names tell.

use std::fmt;
use std::sync::Arc;

use super::program::{TraitId, TypeId};
use crate::lower::tree::Name;

/// A type without its references and lifetimes. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Type {
    /// A struct or enum of the workspace, with its arguments as far as they are written.
    Def(TypeId, Arc<[Type]>),
    /// A type of another crate, as the path that `use` lines lead to: `sqlx::PgPool`, `std::option::Option`.
    /// A path of one name is a primitive, or a name that nothing in the workspace declares (an external glob may).
    External(Arc<[Name]>, Arc<[Type]>),
    Tuple(Arc<[Type]>),
    /// Slices and arrays.
    Slice(Arc<Type>),
    /// `impl A + B`, `dyn A`, or a generic parameter with its bounds; empty when it has none that are known.
    Trait(Arc<[Bound]>),
    /// Function pointers, and what is bounded by `Fn`, `FnMut`, `FnOnce` or their async twins.
    Fn(Arc<[Type]>, Arc<Type>),
    Unit,
    Never,
    #[default]
    Unknown,
}

/// A trait that a type is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    pub of: TraitRef,
    pub args: Arc<[Type]>,
    /// `Output = T`, by name.
    pub bindings: Arc<[(Name, Type)]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TraitRef {
    Local(TraitId),
    /// The path, as in [`Type::External`].
    External(Arc<[Name]>),
}

/// How many types a type may hold before it is given up: aliases of aliases double.
const WEIGHT: usize = 400;

impl Type {
    pub fn external<const N: usize>(path: [&str; N], args: &[Type]) -> Self {
        Self::External(path.iter().map(Name::new).collect(), args.into())
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// A tuple; unit when it has no parts.
    pub fn tuple(parts: Vec<Type>) -> Self {
        if parts.is_empty() { Self::Unit } else { Self::Tuple(parts.into()).bounded() }
    }

    /// The arguments between `<` and `>`; none for what takes none.
    pub fn args(&self) -> &[Type] {
        match self {
            Self::Def(_, args) | Self::External(_, args) => args,
            _ => &[],
        }
    }

    /// The last name of a type of another crate.
    pub fn external_name(&self) -> Option<&str> {
        let Self::External(path, _) = self else { return None };
        path.last().map(Name::as_str)
    }

    /// The type, or [`Type::Unknown`] when it holds too many others to be worth a walk.
    pub(super) fn bounded(self) -> Self {
        let mut left = WEIGHT;
        if self.fits(&mut left) { self } else { Self::Unknown }
    }

    fn fits(&self, left: &mut usize) -> bool {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        match self {
            Self::Def(_, args) | Self::External(_, args) | Self::Tuple(args) => args.iter().all(|arg| arg.fits(left)),
            Self::Slice(element) => element.fits(left),
            Self::Fn(params, ret) => params.iter().all(|param| param.fits(left)) && ret.fits(left),
            Self::Trait(bounds) => bounds.iter().all(|bound| {
                bound.args.iter().all(|arg| arg.fits(left)) && bound.bindings.iter().all(|(_, ty)| ty.fits(left))
            }),
            Self::Unit | Self::Never | Self::Unknown => true,
        }
    }
}

impl Bound {
    /// The last name of a trait of another crate.
    pub fn external_name(&self) -> Option<&str> {
        let TraitRef::External(path) = &self.of else { return None };
        path.last().map(Name::as_str)
    }

    pub fn binding(&self, name: &str) -> Option<&Type> {
        self.bindings.iter().find(|(bound, _)| bound == name).map(|(_, ty)| ty)
    }
}

/// A path with `::` between its names.
pub(super) struct Joined<'a>(pub &'a [Name]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("::")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}
