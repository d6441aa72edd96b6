//! Functions that nobody calls in a program which nobody else links: what they would write is written by nobody.

use rustc_hash::FxHashSet;

use crate::flow::Evaluator;
use crate::link::{FnId, TraitRef};
use crate::lower::tree::Attr;
use crate::race::reach::{PLAIN, is_main};

/// What leaves a trait of the program what it is.
const OF_TRAITS: [&str; 4] = ["async_trait", "automock", "auto_impl", "enum_dispatch"];

/// Those that no call in sight leads to, straight or by one another, and that nobody else can know of: of a package without a
/// library, or private; neither handed around, nor of a trait of another crate, nor under an attribute.
pub fn functions(ev: &Evaluator<'_>, production: &FxHashSet<FnId>) -> FxHashSet<FnId> {
    let (program, calls) = (ev.program, &ev.calls);
    let known = |attrs: &[Attr], also: &[&str]| {
        let is_known = |name: &str| PLAIN.contains(&name) || also.contains(&name);
        attrs.iter().all(|attr| attr.path.last().is_some_and(|name| is_known(name)))
    };
    let plain = |attrs: &[Attr]| known(attrs, &[]);
    let linked_by_nobody = |id: FnId| {
        program.krate_of(id).map(|krate| &ev.workspace.crates[krate]).is_some_and(|own| own.has_bin && !own.has_lib)
    };
    let own = |id: &&FnId| {
        let function = program.function(**id);
        let known_by_name = calls.unresolved.contains_key(&(function.name.clone(), function.params.len()));
        let block = program.impl_of(**id).map(|block| (program.impl_def(block), program.impl_subject(block).0));
        // The program's own trait is called by the program.
        let of_own_trait = |of: &TraitRef| match of {
            TraitRef::Local(of) => known(&program.trait_def(*of).attrs, &OF_TRAITS),
            TraitRef::External(_) => false,
        };
        let unasked = || !calls.bodiless.contains(&function.name);
        let private = !function.public && block.is_none_or(|(_, of)| of.is_none());
        (linked_by_nobody(**id) || private)
            && !is_main(program, **id)
            && function.in_trait.is_none()
            && block.is_none_or(|(block, of)| match of {
                None => block.of_trait.is_none() && plain(&block.attrs),
                Some(of) => of_own_trait(of) && known(&block.attrs, &OF_TRAITS) && unasked(),
            })
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
