//! Rust source as plain data: what `lower` makes of a file once syn is done with it.
//!
//! The tree is `Send`, holds no tokens, and keeps of each expression its kind and its range of bytes. Parentheses and
//! attributes on expressions are gone, macros whose tokens are code are code here too, and every list is in source order.

use std::sync::Arc;

use serde::Serialize;
use smol_str::SmolStr;

use crate::span::{FileId, Range};

/// An identifier, without `r#`.
pub type Name = SmolStr;

/// A path of names from the root of a file's module: the inline modules, and the function for items inside a body.
pub type Scope = Vec<Name>;

/// One file's items, in source order within each list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FileTree {
    pub uses: Vec<Use>,
    pub functions: Vec<Function>,
    pub types: Vec<TypeDef>,
    pub traits: Vec<TraitDef>,
    pub impls: Vec<ImplDef>,
    pub consts: Vec<Const>,
    /// `mod name;` declarations, and inline modules (`file` is false).
    pub modules: Vec<ModuleDecl>,
    /// Macros called where an item may stand, such as `table! { … }`. Items inside their tokens are in the other lists too.
    pub macros: Vec<ItemMacro>,
    /// What could not be lowered, by reason; counted in `--statistics`.
    pub unknowns: Vec<(Range, String)>,
}

/// One leaf of a `use` tree. `use a::{b as c, d::*}` gives two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Use {
    pub scope: Scope,
    /// The full path, with `crate`, `self` and `super` as written. A leading `::` is an empty first name.
    pub path: Vec<Name>,
    /// The name it is known by here; `_` for `as _`. Empty for a glob.
    pub name: Name,
    pub glob: bool,
    pub public: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct ModuleDecl {
    pub scope: Scope,
    pub name: Name,
    /// The value of `#[path = "…"]`.
    pub path: Option<String>,
    /// True for `mod name;`, whose text is in a file of its own.
    pub file: bool,
    /// Under `#[cfg(test)]`.
    pub test: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct ItemMacro {
    pub scope: Scope,
    pub path: Vec<Name>,
    /// The tokens between the delimiters, as a range of the file.
    pub tokens: Range,
    pub at: Range,
}

/// An attribute, `#[path(tokens)]` or `#[path = tokens]`, with its tokens as text (single spaces between tokens).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attr {
    pub path: Vec<Name>,
    pub tokens: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Function {
    pub scope: Scope,
    pub name: Name,
    /// The index in [`FileTree::impls`] of the impl the function stands in.
    pub in_impl: Option<u32>,
    /// The index in [`FileTree::traits`] of the trait the function stands in.
    pub in_trait: Option<u32>,
    pub generics: Vec<Generic>,
    /// Without `self`.
    pub params: Vec<Param>,
    /// The type of `self`, where the function takes it: `Self`, `&Self`, or as written.
    pub receiver: Option<Ty>,
    /// `&mut self`
    pub changes_self: bool,
    /// `()` where nothing is written.
    pub ret: Ty,
    pub is_async: bool,
    pub public: bool,
    pub attrs: Vec<Attr>,
    /// `#[test]`, `#[tokio::test]`, or under `#[cfg(test)]`.
    pub test: bool,
    /// A block; none in a trait's declaration without a default.
    pub body: Option<Expr>,
    /// The name alone.
    pub name_at: Range,
    /// From `fn` (or what stands before it) to the closing brace.
    pub at: Range,
}

#[derive(Clone, Debug, Serialize)]
pub struct Param {
    pub pat: Pat,
    pub ty: Ty,
    /// `&mut T`
    pub lent: bool,
    pub at: Range,
}

/// A generic parameter with all its bounds, those of the where clause included.
#[derive(Clone, Debug, Serialize)]
pub struct Generic {
    pub name: Name,
    pub bounds: Vec<Ty>,
}

#[derive(Clone, Debug, Serialize)]
pub struct TypeDef {
    pub scope: Scope,
    pub name: Name,
    pub generics: Vec<Generic>,
    pub attrs: Vec<Attr>,
    pub kind: TypeKind,
    pub at: Range,
}

#[derive(Clone, Debug, Serialize)]
pub enum TypeKind {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    Alias(Ty),
}

#[derive(Clone, Debug, Serialize)]
pub struct Variant {
    pub name: Name,
    pub fields: Vec<Field>,
    pub attrs: Vec<Attr>,
}

/// A field; in a tuple struct its name is its index.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    pub name: Name,
    pub ty: Ty,
    pub attrs: Vec<Attr>,
}

#[derive(Clone, Debug, Serialize)]
pub struct TraitDef {
    pub scope: Scope,
    pub name: Name,
    pub generics: Vec<Generic>,
    /// Supertraits, those that the where clause asks of `Self` included.
    pub bounds: Vec<Ty>,
    /// Associated types and their bounds, by name.
    pub types: Vec<(Name, Vec<Ty>)>,
    pub attrs: Vec<Attr>,
    pub at: Range,
}

#[derive(Clone, Debug, Serialize)]
pub struct ImplDef {
    pub scope: Scope,
    pub generics: Vec<Generic>,
    pub of_trait: Option<Ty>,
    pub self_ty: Ty,
    /// Associated types, by name.
    pub types: Vec<(Name, Ty)>,
    pub attrs: Vec<Attr>,
    pub test: bool,
    pub at: Range,
}

/// A `const` or `static`, also an associated one.
#[derive(Clone, Debug, Serialize)]
pub struct Const {
    pub scope: Scope,
    pub in_impl: Option<u32>,
    pub name: Name,
    pub ty: Ty,
    pub value: Option<Expr>,
    pub at: Range,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Ty {
    Path(TyPath),
    Ref(Box<Ty>),
    Tuple(Vec<Ty>),
    /// Slices and arrays.
    Slice(Box<Ty>),
    Impl(Vec<Ty>),
    Dyn(Vec<Ty>),
    Fn(Vec<Ty>, Box<Ty>),
    Infer,
    Never,
    /// A type macro, a pointer, or what else has no use here.
    Other,
}

/// `<T as Trait>::Name<A, B>` or `a::b<C>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct TyPath {
    pub qself: Option<Box<Ty>>,
    pub segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Segment {
    pub name: Name,
    pub args: Vec<Ty>,
    /// `Output = T` in `Future<Output = T>`.
    pub bindings: Vec<(Name, Ty)>,
}

/// An expression with the bytes it covers.
#[derive(Clone, Debug, Serialize)]
pub struct Expr {
    pub kind: Box<ExprKind>,
    pub at: Range,
}

/// Every node takes the size of the largest, so that the large ones are in boxes.
#[derive(Clone, Debug, Serialize)]
pub enum ExprKind {
    Lit(Lit),
    /// A variable, constant, function, or unit struct.
    Path(TyPath),
    Field(Expr, Name),
    Index(Expr, Expr),
    Call(Expr, Vec<Expr>),
    Method(Box<MethodCall>),
    Macro(Box<MacroCall>),
    Struct(Box<StructLit>),
    Tuple(Vec<Expr>),
    Array(Vec<Expr>),
    Unary(UnOp, Expr),
    Binary(BinOp, Expr, Expr),
    /// `place = value`, or `place op= value`.
    Assign(Expr, Option<BinOp>, Expr),
    Block(Box<Block>),
    /// `async { … }` and `async move { … }`.
    Async(Box<Block>),
    If(Expr, Expr, Option<Expr>),
    /// `let pat = expr` inside a condition.
    Let(Box<Pat>, Expr),
    Match(Expr, Vec<Arm>),
    While(Expr, Box<Block>),
    For(Box<Pat>, Expr, Box<Block>),
    Loop(Box<Block>),
    /// Shared, so that a closure can be kept and run where it is called.
    Closure(Arc<Closure>),
    Await(Expr),
    Try(Expr),
    Ref(Expr),
    Cast(Expr, Box<Ty>),
    Range(Option<Expr>, Option<Expr>),
    Return(Option<Expr>),
    Break(Option<Expr>),
    Continue,
    /// Something the tree has no words for, by reason.
    Unknown(String),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Lit {
    /// The value, escapes undone, also of a char. The expression's range covers the literal with its quotes.
    Str(String),
    Int(String),
    Float(String),
    Bool(bool),
    /// Bytes and byte strings.
    Other,
}

#[derive(Clone, Debug, Serialize)]
pub struct MethodCall {
    pub recv: Expr,
    pub name: Name,
    pub name_at: Range,
    /// The turbofish.
    pub generics: Vec<Ty>,
    pub args: Vec<Expr>,
}

#[derive(Clone, Debug, Serialize)]
pub struct StructLit {
    pub path: TyPath,
    /// Shorthand fields are written out.
    pub fields: Vec<(Name, Expr)>,
    /// `..rest`; `..Default::default()` stands here like any other expression.
    pub rest: Option<Expr>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Arm {
    pub pat: Pat,
    pub guard: Option<Expr>,
    pub body: Expr,
}

#[derive(Clone, Debug, Serialize)]
pub struct Closure {
    pub params: Vec<(Pat, Ty)>,
    pub is_async: bool,
    pub body: Expr,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Block {
    pub stmts: Vec<Stmt>,
    /// The last statement is an expression without a semicolon: the block's value.
    pub has_value: bool,
    /// The block holds items or `use` lines of its own: the scope they are filed under, below the function's.
    pub scope: Option<Name>,
    /// A label or `unsafe`/`const` block makes no difference.
    pub at: Range,
}

#[derive(Clone, Debug, Serialize)]
pub enum Stmt {
    /// `let pat: ty = value else { … };`
    Let { pat: Pat, ty: Option<Ty>, value: Option<Expr>, otherwise: Option<Expr>, at: Range },
    /// With or without a semicolon.
    Expr(Expr),
}

/// How a pattern declares a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// The name alone.
    pub at: Range,
    /// `mut name`, `ref mut name`
    pub changeable: bool,
}

#[derive(Clone, Debug, Serialize)]
pub enum Pat {
    Wild,
    /// `name`, `ref mut name`, `name @ sub`.
    Bind(Name, Option<Box<Pat>>, Binding),
    Tuple(Vec<Pat>),
    /// `Some(x)`, `Coupon(id, ..)`.
    TupleStruct(TyPath, Vec<Pat>),
    Struct(TyPath, Vec<(Name, Pat)>),
    /// A unit variant or a constant.
    Path(TyPath),
    Lit(Expr),
    /// A range of literals.
    Range(Range),
    Or(Vec<Pat>),
    Slice(Vec<Pat>),
    Ref(Box<Pat>),
    /// `..`
    Rest,
    Other,
}

/// A macro called where an expression or statement may stand, its tokens read as code where they are code.
#[derive(Clone, Debug, Serialize)]
pub struct MacroCall {
    pub path: Vec<Name>,
    pub body: MacroBody,
    /// The tokens between the delimiters.
    pub tokens: Range,
}

#[derive(Clone, Debug, Serialize)]
pub enum MacroBody {
    /// Comma-separated arguments; `name = value` and `key => value` keep their name (the key's text otherwise).
    /// Inline format captures (`"{x}"`) are not added here.
    Args(Vec<MacroArg>),
    /// `matches!(expr, pat if guard)`, and `assert_matches!`.
    Matches(Expr, Pat, Option<Expr>),
    /// `select! { pat = future => handler, … }`
    Select(Vec<(Pat, Expr, Option<Expr>)>),
    /// Statements: `stream! { … }`, `per_backend! { conn: { … } }` (all arms, one after the other).
    Block(Block),
    /// Only items, which are filed under the file's lists.
    Items,
    /// Tokens that are none of the above; the expressions that could be found in them.
    Tokens(Vec<Expr>),
}

#[derive(Clone, Debug, Serialize)]
pub struct MacroArg {
    pub name: Option<Name>,
    pub value: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum UnOp {
    Not,
    Neg,
    Deref,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    /// `&&`
    And,
    /// `||`
    Or,
    /// Bit operations and shifts.
    Bit,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A file that was lowered, with the id its ranges belong to.
#[derive(Clone, Debug, Serialize)]
pub struct Lowered {
    pub file: FileId,
    pub tree: FileTree,
}
