//! Trees to [`Program`]: what a name, a type or a method call may mean, without a compiler.
//!
//! A program is built once from the workspace and its trees and then only asked. Its answers are lists: several where
//! several definitions fit (twins behind `cfg`, all implementations of a trait), none where nothing is known. Nothing
//! is ever picked by its name alone, and the order of an answer is the order of the sources.
//!
//! - `modules`: files to scopes, by `mod` lines and the layout of directories (Rust Reference, "Modules").
//! - `names`: paths and `use` lines (Rust Reference, "Paths", "Use declarations", "Preludes").
//! - `types`, `convert`: a type as written to a [`Type`], aliases and generics replaced.
//! - `generics`: what a call tells about the generic parameters of the function.
//! - `wrappers`: what is inside of smart pointers, guards, futures and extractors.
//! - `impls`, `methods`: which functions a method call may reach.

mod convert;
mod generics;
mod impls;
mod methods;
mod modules;
mod names;
mod program;
mod reexports;
mod scopes;
#[cfg(test)]
mod tests;
mod types;
mod wrappers;

pub use methods::{Candidates, Via};
pub use program::{ConstId, Def, FnId, ImplId, Program, TraitId, TypeId};
pub use scopes::ScopeId;
pub use types::{Bound, TraitRef, Type};
