//! The tree as short text, so that a test says in one line what it expects.

use crate::lower::tree::{Block, Expr, ExprKind, Lit, MacroBody, MacroCall, Pat, Segment, Stmt, Ty, TyPath, UnOp};

pub fn expr(written: &Expr) -> String {
    match &*written.kind {
        ExprKind::Lit(Lit::Str(text)) => format!("{text:?}"),
        ExprKind::Lit(Lit::Int(text) | Lit::Float(text)) => text.clone(),
        ExprKind::Lit(Lit::Bool(truth)) => truth.to_string(),
        ExprKind::Lit(Lit::Other) => "lit".to_owned(),
        ExprKind::Path(written) => path(written),
        ExprKind::Field(base, name) => format!("{}.{name}", expr(base)),
        ExprKind::Index(base, key) => format!("{}[{}]", expr(base), expr(key)),
        ExprKind::Call(func, args) => format!("{}({})", expr(func), exprs(args)),
        ExprKind::Method(call) => {
            let generics = if call.generics.is_empty() { String::new() } else { format!("<{}>", tys(&call.generics)) };
            format!("{}.{}{generics}({})", expr(&call.recv), call.name, exprs(&call.args))
        }
        ExprKind::Macro(call) => macro_call(call),
        ExprKind::Struct(lit) => {
            let mut fields: Vec<_> =
                lit.fields.iter().map(|(name, value)| format!("{name}: {}", expr(value))).collect();
            fields.extend(lit.rest.as_ref().map(|rest| format!("..{}", expr(rest))));
            format!("{} {{{}}}", path(&lit.path), fields.join(", "))
        }
        ExprKind::Tuple(elems) => format!("({})", exprs(elems)),
        ExprKind::Array(elems) => format!("[{}]", exprs(elems)),
        ExprKind::Unary(op, operand) => {
            let mark = match op {
                UnOp::Not => "!",
                UnOp::Neg => "-",
                UnOp::Deref => "*",
            };
            format!("{mark}{}", expr(operand))
        }
        ExprKind::Binary(op, left, right) => format!("({op:?} {} {})", expr(left), expr(right)),
        ExprKind::Assign(place, None, value) => format!("(set {} {})", expr(place), expr(value)),
        ExprKind::Assign(place, Some(op), value) => format!("(set{op:?} {} {})", expr(place), expr(value)),
        ExprKind::Block(written) => block(written),
        ExprKind::Async(written) => format!("async {}", block(written)),
        ExprKind::If(cond, then, otherwise) => {
            let otherwise = otherwise.as_ref().map(|otherwise| format!(" else {}", expr(otherwise)));
            format!("if {} {}{}", expr(cond), expr(then), otherwise.unwrap_or_default())
        }
        ExprKind::Let(written, value) => format!("let {} = {}", pat(written), expr(value)),
        ExprKind::Match(value, arms) => {
            let arms: Vec<_> = arms
                .iter()
                .map(|arm| {
                    let guard = arm.guard.as_ref().map(|guard| format!(" if {}", expr(guard))).unwrap_or_default();
                    format!("{}{guard} => {}", pat(&arm.pat), expr(&arm.body))
                })
                .collect();
            format!("match {} {{{}}}", expr(value), arms.join(", "))
        }
        ExprKind::While(cond, body) => format!("while {} {}", expr(cond), block(body)),
        ExprKind::For(each, over, body) => format!("for {} in {} {}", pat(each), expr(over), block(body)),
        ExprKind::Loop(body) => format!("loop {}", block(body)),
        ExprKind::Closure(closure) => {
            let params: Vec<_> = closure.params.iter().map(|(each, of)| format!("{}: {}", pat(each), ty(of))).collect();
            let word = if closure.is_async { "async " } else { "" };
            format!("{word}|{}| {}", params.join(", "), expr(&closure.body))
        }
        ExprKind::Await(future) => format!("{}.await", expr(future)),
        ExprKind::Try(tried) => format!("{}?", expr(tried)),
        ExprKind::Ref(place) => format!("&{}", expr(place)),
        ExprKind::Cast(value, to) => format!("({} as {})", expr(value), ty(to)),
        ExprKind::Range(start, end) => format!("({}..{})", maybe(start), maybe(end)),
        ExprKind::Return(value) => format!("return {}", maybe(value)).trim_end().to_owned(),
        ExprKind::Break(value) => format!("break {}", maybe(value)).trim_end().to_owned(),
        ExprKind::Continue => "continue".to_owned(),
        ExprKind::Unknown(why) => format!("<{why}>"),
    }
}

pub fn block(written: &Block) -> String {
    let stmts: Vec<_> = written.stmts.iter().map(stmt).collect();
    let end = if written.has_value || stmts.is_empty() { "" } else { ";" };
    let scope = written.scope.as_ref().map(|scope| format!("[{scope}] ")).unwrap_or_default();
    format!("{{{scope}{}{end}}}", stmts.join("; "))
}

pub fn pat(written: &Pat) -> String {
    match written {
        Pat::Wild => "_".to_owned(),
        Pat::Bind(name, None, _) => name.to_string(),
        Pat::Bind(name, Some(sub), _) => format!("{name} @ {}", pat(sub)),
        Pat::Tuple(elems) => format!("({})", pats(elems)),
        Pat::TupleStruct(of, elems) => format!("{}({})", path(of), pats(elems)),
        Pat::Struct(of, fields) => {
            let fields: Vec<_> = fields.iter().map(|(name, sub)| format!("{name}: {}", pat(sub))).collect();
            format!("{} {{{}}}", path(of), fields.join(", "))
        }
        Pat::Path(of) => format!("={}", path(of)),
        Pat::Lit(value) => expr(value),
        Pat::Range(_) => "range".to_owned(),
        Pat::Or(cases) => cases.iter().map(pat).collect::<Vec<_>>().join(" | "),
        Pat::Slice(elems) => format!("[{}]", pats(elems)),
        Pat::Ref(inner) => format!("&{}", pat(inner)),
        Pat::Rest => "..".to_owned(),
        Pat::Other => "other".to_owned(),
    }
}

pub fn ty(written: &Ty) -> String {
    match written {
        Ty::Path(written) => path(written),
        Ty::Ref(inner) => format!("&{}", ty(inner)),
        Ty::Tuple(elems) => format!("({})", tys(elems)),
        Ty::Slice(inner) => format!("[{}]", ty(inner)),
        Ty::Impl(bounds) => format!("impl {}", bounds.iter().map(ty).collect::<Vec<_>>().join(" + ")),
        Ty::Dyn(bounds) => format!("dyn {}", bounds.iter().map(ty).collect::<Vec<_>>().join(" + ")),
        Ty::Fn(inputs, output) => format!("fn({}) -> {}", tys(inputs), ty(output)),
        Ty::Infer => "_".to_owned(),
        Ty::Never => "!".to_owned(),
        Ty::Other => "other".to_owned(),
    }
}

pub fn tys(written: &[Ty]) -> String {
    written.iter().map(ty).collect::<Vec<_>>().join(", ")
}

fn path(written: &TyPath) -> String {
    let segments = written.segments.iter().map(segment).collect::<Vec<_>>().join("::");
    match &written.qself {
        Some(qself) => format!("<{}>{segments}", ty(qself)),
        None => segments,
    }
}

fn segment(written: &Segment) -> String {
    let mut args: Vec<_> = written.args.iter().map(ty).collect();
    args.extend(written.bindings.iter().map(|(name, bound)| format!("{name} = {}", ty(bound))));
    if args.is_empty() { written.name.to_string() } else { format!("{}<{}>", written.name, args.join(", ")) }
}

fn stmt(written: &Stmt) -> String {
    match written {
        Stmt::Let { pat: bound, ty: of, value, otherwise, .. } => {
            let of = of.as_ref().map(|of| format!(": {}", ty(of))).unwrap_or_default();
            let value = value.as_ref().map(|value| format!(" = {}", expr(value))).unwrap_or_default();
            let otherwise = otherwise.as_ref().map(|block| format!(" else {}", expr(block))).unwrap_or_default();
            format!("let {}{of}{value}{otherwise}", pat(bound))
        }
        Stmt::Expr(value) => expr(value),
    }
}

fn macro_call(call: &MacroCall) -> String {
    let name = call.path.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("::");
    let inner = match &call.body {
        MacroBody::Args(args) => {
            let args: Vec<_> = args
                .iter()
                .map(|arg| match &arg.name {
                    Some(name) => format!("{name} = {}", expr(&arg.value)),
                    None => expr(&arg.value),
                })
                .collect();
            format!("({})", args.join(", "))
        }
        MacroBody::Matches(value, of, guard) => {
            let guard = guard.as_ref().map(|guard| format!(" if {}", expr(guard))).unwrap_or_default();
            format!("({} is {}{guard})", expr(value), pat(of))
        }
        MacroBody::Select(arms) => {
            let arms: Vec<_> = arms
                .iter()
                .map(|(of, future, handler)| format!("{} = {} => {}", pat(of), expr(future), maybe(handler)))
                .collect();
            format!(" select {{{}}}", arms.join(", "))
        }
        MacroBody::Block(written) => format!(" {}", block(written)),
        MacroBody::Items => " items".to_owned(),
        MacroBody::Tokens(found) => format!(" tokens [{}]", exprs(found)),
    };
    format!("{name}!{inner}")
}

fn maybe(written: &Option<Expr>) -> String {
    written.as_ref().map(expr).unwrap_or_default()
}

fn exprs(written: &[Expr]) -> String {
    written.iter().map(expr).collect::<Vec<_>>().join(", ")
}

fn pats(written: &[Pat]) -> String {
    written.iter().map(pat).collect::<Vec<_>>().join(", ")
}
