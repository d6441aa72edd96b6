//! Functions that nobody calls in a program which nobody else links: what they would write is written by nobody.

use rustc_hash::FxHashSet;

use crate::flow::Evaluator;
use crate::link::FnId;
use crate::lower::tree::Attr;
use crate::race::reach::{PLAIN, is_main};

/// Those of a package without a library that no call in sight leads to, straight or by one another, and that no framework can
/// know of: neither handed around, nor of a trait, nor under an attribute.
pub fn functions(ev: &Evaluator<'_>, production: &FxHashSet<FnId>) -> FxHashSet<FnId> {
    let (program, calls) = (ev.program, &ev.calls);
    let plain =
        |attrs: &[Attr]| attrs.iter().all(|attr| attr.path.last().is_some_and(|name| PLAIN.contains(&name.as_str())));
    let linked_by_nobody = |id: FnId| {
        program.krate_of(id).map(|krate| &ev.workspace.crates[krate]).is_some_and(|own| own.has_bin && !own.has_lib)
    };
    let own = |id: &&FnId| {
        let function = program.function(**id);
        let known_by_name = calls.unresolved.contains_key(&(function.name.clone(), function.params.len()));
        let block = program.impl_of(**id).map(|block| program.impl_def(block));
        linked_by_nobody(**id)
            && !is_main(program, **id)
            && function.in_trait.is_none()
            && block.is_none_or(|block| block.of_trait.is_none() && plain(&block.attrs))
            && plain(&function.attrs)
            && !calls.values.contains(*id)
            && !known_by_name
            && !ev.config.is_entry_point(&program.path_of(**id))
    };
    let mut open: Vec<FnId> = production.iter().filter(own).copied().collect();
    let mut found: FxHashSet<FnId> = FxHashSet::default();
    loop {
        let uncalled = |id: &FnId| calls.calls_of(program, *id).all(|site| found.contains(&site.caller));
        let (new, rest): (Vec<FnId>, Vec<FnId>) = open.into_iter().partition(uncalled);
        if new.is_empty() {
            return found;
        }
        found.extend(new);
        open = rest;
    }
}
