//! experiment
use crate::lower::tree::*;
use crate::link::{Program, FnId};
use crate::source::Workspace;
use crate::event::Flow;
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

pub fn walk<'a>(written: &'a Expr, see: &mut dyn FnMut(&'a Expr)) {
    see(written);
    let mut inner: Vec<&'a Expr> = Vec::new();
    let mut blocks: Vec<&'a Block> = Vec::new();
    match &*written.kind {
        ExprKind::Lit(_) | ExprKind::Path(_) | ExprKind::Continue | ExprKind::Unknown(_) => {}
        ExprKind::Field(base, _) => inner.push(base),
        ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) | ExprKind::Assign(a, _, b) => inner.extend([a, b]),
        ExprKind::Call(func, args) => {
            inner.push(func);
            inner.extend(args);
        }
        ExprKind::Method(call) => {
            inner.push(&call.recv);
            inner.extend(&call.args);
        }
        ExprKind::Macro(call) => match &call.body {
            MacroBody::Args(args) => inner.extend(args.iter().map(|arg| &arg.value)),
            MacroBody::Matches(value, _, guard) => {
                inner.push(value);
                inner.extend(guard);
            }
            MacroBody::Select(arms) => {
                for (_, future, handler) in arms {
                    inner.push(future);
                    inner.extend(handler);
                }
            }
            MacroBody::Block(block) => blocks.push(block),
            MacroBody::Items => {}
            MacroBody::Tokens(found) => inner.extend(found),
        },
        ExprKind::Struct(lit) => {
            inner.extend(lit.fields.iter().map(|(_, value)| value));
            inner.extend(&lit.rest);
        }
        ExprKind::Tuple(elems) | ExprKind::Array(elems) => inner.extend(elems),
        ExprKind::Unary(_, a)
        | ExprKind::Let(_, a)
        | ExprKind::Await(a)
        | ExprKind::Try(a)
        | ExprKind::Ref(a)
        | ExprKind::Cast(a, _) => inner.push(a),
        ExprKind::Block(block) | ExprKind::Async(block) | ExprKind::Loop(block) => blocks.push(block),
        ExprKind::If(cond, then, otherwise) => {
            inner.extend([cond, then]);
            inner.extend(otherwise);
        }
        ExprKind::Match(value, arms) => {
            inner.push(value);
            for arm in arms {
                inner.extend(&arm.guard);
                inner.push(&arm.body);
            }
        }
        ExprKind::While(cond, block) | ExprKind::For(_, cond, block) => {
            inner.push(cond);
            blocks.push(block);
        }
        ExprKind::Closure(closure) => inner.push(&closure.body),
        ExprKind::Range(a, b) => {
            inner.extend(a);
            inner.extend(b);
        }
        ExprKind::Return(a) | ExprKind::Break(a) => inner.extend(a),
    }
    inner.into_iter().for_each(|each| walk(each, see));
    for stmt in blocks.into_iter().flat_map(|block| &block.stmts) {
        match stmt {
            Stmt::Let { value, otherwise, .. } => value.iter().chain(otherwise).for_each(|each| walk(each, see)),
            Stmt::Expr(value) => walk(value, see),
        }
    }
}


pub fn experiment(workspace: &Workspace, program: &Program, flows: &[Rc<Flow>], roots: &[FnId]) {
    let n = workspace.crates.len();
    // up[k]: crates that k depends on, itself included
    let mut up: Vec<FxHashSet<usize>> = (0..n).map(|k| [k].into_iter().collect()).collect();
    loop {
        let mut changed = false;
        for k in 0..n {
            for (o, other) in workspace.crates.iter().enumerate() {
                if workspace.crates[k].dependencies.iter().any(|d| d.package == other.name) {
                    let add: Vec<usize> = up[o].iter().copied().collect();
                    for a in add { changed |= up[k].insert(a); }
                }
            }
        }
        if !changed { break; }
    }
    let mut seeds: FxHashSet<FnId> = FxHashSet::default();
    let mut reach_true: FxHashSet<FnId> = FxHashSet::default();
    for f in flows {
        if f.reaches_rows { reach_true.insert(f.function); }
        if f.events.iter().any(|e| e.calls.is_empty() && e.access().is_some()) { seeds.insert(f.function); }
    }
    // names of types, traits and modules known
    let mut types: FxHashSet<&str> = FxHashSet::default();
    for t in program.types() { types.insert(program.type_def(t).name.as_str()); }
    for t in program.traits() { types.insert(program.trait_def(t).name.as_str()); }
    let mut mods: FxHashSet<&str> = FxHashSet::default();
    let mut renamed: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let mut aliases: FxHashSet<&str> = FxHashSet::default();
    for t in program.types() { if let TypeKind::Alias(_) = program.type_def(t).kind { aliases.insert(program.type_def(t).name.as_str()); } }
    for l in program.trees() {
        for m in &l.tree.modules { mods.insert(m.name.as_str()); }
        for u in &l.tree.uses { if let Some(last) = u.path.last() { if !u.glob && *last != u.name { renamed.entry(u.name.as_str()).or_default().push(last.as_str()); } } }
    }
    let owner = |id: FnId| -> (Option<String>, Option<String>, Option<usize>) {
        let mut tr = None; let mut ty = None; let mut trait_krate = None;
        if let Some(b) = program.impl_of(id) {
            let d = program.impl_def(b);
            let last = |t: &Ty| { let mut t = t; loop { match t { Ty::Ref(i) | Ty::Slice(i) => t = i, Ty::Path(p) => return p.segments.last().map(|s| s.name.to_string()), _ => return None } } };
            ty = last(&d.self_ty);
            tr = d.of_trait.as_ref().and_then(last);
            if let (Some(crate::link::TraitRef::Local(t)), _) = program.impl_subject(b) { trait_krate = Some(*t); }
        } else if let Some(t) = program.trait_of(id) { tr = Some(program.trait_def(t).name.to_string()); trait_krate = Some(t); }
        let tk = trait_krate.and_then(|t| program.trait_krate(t));
        (ty, tr, tk)
    };
    struct Info { ty: Option<String>, tr: Option<String>, tk: Option<usize>, krate: Option<usize>, own: bool }
    let mut infos: FxHashMap<FnId, Info> = FxHashMap::default();
    let mut by_name: FxHashMap<&str, Vec<FnId>> = FxHashMap::default();
    for id in program.functions() {
        let (ty, tr, tk) = owner(id);
        infos.insert(id, Info { ty, tr, tk, krate: program.krate_of(id), own: program.function(id).receiver.is_some() });
        by_name.entry(program.function(id).name.as_str()).or_default().push(id);
    }
    for level in 0..4 {
        let mut callers: FxHashMap<FnId, Vec<FnId>> = FxHashMap::default();
        for id in program.functions() {
            let f = program.function(id);
            let Some(body) = &f.body else { continue };
            let krate = program.krate_of(id);
            let sees = |to: FnId| -> bool {
                if level < 1 { return true; }
                let i = &infos[&to];
                let (Some(k), Some(t)) = (krate, i.krate) else { return true };
                up[k].contains(&t) || i.tr.is_some() && i.tk.is_none_or(|tk| up[k].contains(&tk)) 
            };
            let mut add = |to: FnId| { if sees(to) { callers.entry(to).or_default().push(id); } };
            let mut called: FxHashSet<*const Expr> = FxHashSet::default();
            walk(body, &mut |e| {
                let (path, args): (&TyPath, Option<usize>) = match &*e.kind {
                    ExprKind::Method(m) => {
                        for to in by_name.get(m.name.as_str()).into_iter().flatten() {
                            let g = program.function(*to);
                            if level < 2 || infos[to].own && g.params.len() == m.args.len() { add(*to); }
                        }
                        return;
                    }
                    ExprKind::Call(c, args) => match &*c.kind { ExprKind::Path(p) => { called.insert(c as *const Expr); (p, Some(args.len())) }, _ => return },
                    ExprKind::Path(p) => { if called.contains(&(e as *const Expr)) { return; } (p, None) }
                    ExprKind::Struct(_) => return,
                    _ => return,
                };
                let Some(last) = path.segments.last() else { return };
                let q = path.segments.len().checked_sub(2).map(|i| path.segments[i].name.as_str());
                let names = std::iter::once(last.name.as_str()).chain(renamed.get(last.name.as_str()).into_iter().flatten().copied());
                for name in names {
                    for to in by_name.get(name).into_iter().flatten() {
                        let g = program.function(*to);
                        let info = &infos[to];
                        let free = info.ty.is_none() && info.tr.is_none();
                        if level >= 2 {
                            if let Some(n) = args { if g.params.len() + usize::from(info.own) != n { continue; } }
                        }
                        if level >= 3 {
                            match q {
                                None if path.qself.is_none() => if !free { continue; },
                                None => {}
                                Some("Self") => {
                                    if free { continue; }
                                    // own type or any trait
                                    let me = &infos[&id];
                                    if info.tr.is_none() && me.ty.is_some() && info.ty != me.ty { continue; }
                                }
                                Some(q) => {
                                    let known = types.contains(q) && !aliases.contains(q) && !renamed.contains_key(q);
                                    let module = mods.contains(q) || matches!(q, "self" | "super" | "crate");
                                    if path.qself.is_none() && known && !module {
                                        if free { continue; }
                                        let fits = info.ty.as_deref() == Some(q) || info.tr.is_some();
                                        if !fits { continue; }
                                        // trait impl for another known type
                                        if info.ty.as_deref().is_some_and(|t| t != q && types.contains(t)) && info.tr.as_deref() != Some(q) && !program.is_trait_name(q) { continue; }
                                    } else if path.qself.is_none() && module && !known {
                                        if !free { continue; }
                                    } else if path.qself.is_none() && !known && !module && !renamed.contains_key(q) && !aliases.contains(q) {
                                        // generic or external
                                        let generic = f.generics.iter().any(|g| g.name == q) || q.len() <= 2;
                                        if !generic && (free || info.tr.is_none()) && info.ty.as_deref() != Some(q) { continue; }
                                        if !generic && info.ty.as_deref() != Some(q) && info.ty.as_deref().is_some_and(|t| types.contains(t)) { continue; }
                                    }
                                }
                            }
                        }
                        add(*to);
                    }
                }
            });
        }
        // trait declaration without body → treat impls
        let mut found: FxHashSet<FnId> = seeds.clone();
        let mut todo: Vec<FnId> = seeds.iter().copied().collect();
        while let Some(id) = todo.pop() {
            for c in callers.get(&id).into_iter().flatten() { if found.insert(*c) { todo.push(*c); } }
        }
        let r = roots.iter().filter(|r| found.contains(r)).count();
        let missed = reach_true.iter().filter(|r| !found.contains(r)).count();
        let mut bytes = 0; let mut all = 0; 
        for r in roots { let l = program.function(*r).at.len(); all += l as usize; if found.contains(r) { bytes += l as usize; } }
        eprintln!("level {level}: roots {} reaching {r} ({:.0}%), bytes {:.0}%, truly reaching {}, missed {missed}", roots.len(), 100.0 * r as f64 / roots.len() as f64, 100.0 * bytes as f64 / all as f64, reach_true.len());
        if level == 3 {
            let mut pol: FxHashMap<&str, usize> = FxHashMap::default();
            for id in &found { if !reach_true.contains(id) { *pol.entry(program.function(*id).name.as_str()).or_default() += callers.get(id).map_or(0, |c| c.len()); } }
            let mut pol: Vec<_> = pol.into_iter().map(|(a, b)| (b, a)).collect(); pol.sort(); pol.reverse();
            eprintln!("{:?}", &pol[..40.min(pol.len())]);
            for id in reach_true.iter().filter(|r| !found.contains(r)).take(12) { eprintln!("missed {}", program.path_of(*id)); }
        }
    }
}
