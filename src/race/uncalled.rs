//! Functions that nobody calls in a program which nobody else links: what they would write is written by nobody. Those that
//! tests call are there for tests.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::flow::Evaluator;
use crate::link::{FnId, TraitRef};
use crate::lower::tree::{Attr, Name};
use crate::race::reach::{PLAIN, is_main};
use crate::source::{FileKind, Target};
use crate::span::{FileId, Range, Span};

/// What leaves a trait of the program what it is.
const OF_TRAITS: [&str; 4] = ["async_trait", "automock", "auto_impl", "enum_dispatch"];

/// The functions that nobody calls.
pub struct Uncalled {
    pub all: FxHashSet<FnId>,
    /// Those of them that only tests name, and whatever only these call.
    pub for_tests: FxHashSet<FnId>,
}

/// Those that no call in sight leads to, straight or by one another, and that nobody else can know of: of a package without a
/// library, or of one that a program of the workspace is built of, or private; neither handed around, nor of a trait of
/// another crate, nor under an attribute.
pub fn functions(ev: &Evaluator<'_>, production: &FxHashSet<FnId>) -> Uncalled {
    let (program, calls) = (ev.program, &ev.calls);
    let known = |attrs: &[Attr], also: &[&str]| {
        let is_known = |name: &str| PLAIN.contains(&name) || also.contains(&name);
        attrs.iter().all(|attr| attr.path.last().is_some_and(|name| is_known(name)))
    };
    let plain = |attrs: &[Attr]| known(attrs, &[]);
    let of_program: Vec<bool> = (0..ev.workspace.crates.len()).map(|krate| ev.workspace.runs(krate)).collect();
    let linked_by_nobody = |id: FnId| program.krate_of(id).is_some_and(|krate| of_program[krate]);
    let has_library = |id: FnId| program.krate_of(id).is_some_and(|krate| ev.workspace.crates[krate].has_lib);
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
    // Of a library only what is not even named by those who see all of it.
    let of_trait = |id: FnId| program.impl_of(id).is_some_and(|block| program.impl_subject(block).0.is_some());
    let open_to_others = |id: FnId| has_library(id) && (program.function(id).public || of_trait(id));
    let is_uncalled = |id: &FnId| calls.calls_of(program, *id).next().is_none();
    let places = Places::of(ev, open.iter().copied());
    open.retain(|id| !(open_to_others(*id) && is_uncalled(id) && places.name(ev, *id)));
    let all = calls.closed(program, open, |_| false);
    let only_tests = |id: &&FnId| places.in_tests.contains(&program.function(**id).name) && !places.name(ev, **id);
    let mut for_tests: FxHashSet<FnId> = all.iter().filter(only_tests).copied().collect();
    let below = all.iter().filter(|id| !for_tests.contains(id) && !is_uncalled(id)).copied();
    let below = calls.closed(program, below, |site| for_tests.contains(&site.caller));
    for_tests.extend(below);
    Uncalled { all, for_tests }
}

/// Where the names of functions stand, other than where those are defined.
#[derive(Default)]
struct Places {
    in_tests: FxHashSet<Name>,
    /// Behind a dot, behind `::`, and elsewhere, in what runs in production.
    of_methods: FxHashSet<Name>,
    in_paths: FxHashSet<Name>,
    elsewhere: FxHashSet<Name>,
}

impl Places {
    fn of(ev: &Evaluator<'_>, functions: impl Iterator<Item = FnId>) -> Self {
        let program = ev.program;
        let mut defined: FxHashMap<&Name, Vec<Span>> = FxHashMap::default();
        for id in functions {
            let function = program.function(id);
            defined.entry(&function.name).or_default().push(function.name_at.in_file(program.file_of(id)));
        }
        let mut places = Self::default();
        if defined.is_empty() {
            return places;
        }
        let known: FxHashMap<&str, &Name> = defined.keys().map(|name| (name.as_str(), *name)).collect();
        let mut tests: FxHashMap<FileId, Vec<Range>> = FxHashMap::default();
        for id in program.functions().filter(|id| program.function(*id).test) {
            tests.entry(program.file_of(id)).or_default().push(program.function(id).at);
        }
        for file in ev.workspace.files.iter().filter(|file| matches!(file.kind, FileKind::Rust(_))) {
            let ranges = tests.get(&file.id).map_or(&[][..], Vec::as_slice);
            let of_main = matches!(file.kind, FileKind::Rust(Target::Main));
            for (start, word) in words(&file.text) {
                let Some(name) = known.get(word) else { continue };
                let at = Range::new(start as u32, (start + word.len()) as u32);
                let before = file.text[..start].trim_end();
                let kind = if !of_main || ranges.iter().any(|range| range.contains(at)) {
                    &mut places.in_tests
                } else if defined[*name].contains(&at.in_file(file.id)) {
                    continue;
                } else if before.ends_with('.') {
                    &mut places.of_methods
                } else if before.ends_with("::") {
                    &mut places.in_paths
                } else {
                    &mut places.elsewhere
                };
                kind.insert((*name).clone());
            }
        }
        places
    }

    /// Whether a function may be named by what runs in production: a method behind a dot or in a path, what belongs to a type
    /// in a path, and any other not behind a dot.
    fn name(&self, ev: &Evaluator<'_>, id: FnId) -> bool {
        let function = ev.program.function(id);
        let of_type = function.in_impl.is_some();
        self.in_paths.contains(&function.name)
            || function.receiver.is_some() && self.of_methods.contains(&function.name)
            || !of_type && self.elsewhere.contains(&function.name)
    }
}

/// The words of a text that may be names, each with where it starts.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let of_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(|byte| of_word(*byte))?;
        let end = bytes[start..].iter().position(|byte| !of_word(*byte)).map_or(bytes.len(), |length| start + length);
        at = end;
        Some((start, &text[start..end]))
    })
}
