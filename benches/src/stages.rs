//! Each stage at 1×, 2×, 4× and 8× of what grows: `cargo bench --manifest-path benches/Cargo.toml [FILTER]`.
//!
//! Cost is linear when the time of a row is twice that of the row above it.

use std::str::FromStr;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use proc_macro2::TokenStream;
use racelint::config::Config;
use racelint::flow::Evaluator;
use racelint::link::Program;
use racelint::lower::tree::Lowered;
use racelint::lower::{self, nesting};
use racelint::report::{self, Counts, Format, Report};
use racelint::source::{self, FileKind, Workspace};
use racelint_benches::generate::{AXES, Axis, files, workspace};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // As racelint runs: deep trees need a deep stack.
    let deep = std::thread::Builder::new().stack_size(256 << 20);
    rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build_global().expect("threads");
    deep.spawn(divan::main).expect("a thread").join().expect("the benchmarks run");
}

/// The sizes of every axis, in the order of the axes.
fn sizes() -> impl Iterator<Item = Size> {
    AXES.into_iter().flat_map(|axis| [1, 2, 4, 8].map(|times| Size(axis, times)))
}

#[derive(Clone, Copy)]
struct Size(Axis, usize);

impl std::fmt::Display for Size {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?} {}x", self.0, self.1)
    }
}

impl Size {
    fn workspace(self) -> Workspace {
        workspace(self.0, self.1)
    }

    fn bytes(self) -> BytesCount {
        BytesCount::new(self.workspace().files.iter().map(|file| file.text.len()).sum::<usize>())
    }
}

fn on_disk(size: Size) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (path, text) in files(size.0, size.1) {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    dir
}

fn rust(workspace: &Workspace) -> impl Iterator<Item = &source::SourceFile> {
    workspace.files.iter().filter(|file| matches!(file.kind, FileKind::Rust(_)))
}

fn trees(workspace: &Workspace) -> Vec<Lowered> {
    rust(workspace).filter_map(|file| lower::lower(file.id, &file.text).ok()).collect()
}

/// The walk and a look at each size: no file is small enough to be read.
#[divan::bench(args = sizes().filter(|size| matches!(size.0, Axis::Lines)))]
fn walk(bencher: Bencher<'_, '_>, size: Size) {
    let (dir, options) = (on_disk(size), source::Options { max_file_size: 0, ..Default::default() });
    bencher.bench_local(|| source::read(&[dir.path().to_owned()], &options));
}

#[divan::bench(args = sizes().filter(|size| matches!(size.0, Axis::Lines)))]
fn walk_and_read(bencher: Bencher<'_, '_>, size: Size) {
    let (dir, options) = (on_disk(size), source::Options::default());
    bencher.counter(size.bytes()).bench_local(|| source::read(&[dir.path().to_owned()], &options));
}

#[divan::bench(args = sizes())]
fn lex(bencher: Bencher<'_, '_>, size: Size) {
    let workspace = size.workspace();
    bencher.counter(size.bytes()).bench_local(|| {
        for file in rust(&workspace) {
            drop(black_box(TokenStream::from_str(&file.text)));
            proc_macro2::extra::invalidate_current_thread_spans();
        }
    });
}

#[divan::bench(args = sizes())]
fn lex_and_scan(bencher: Bencher<'_, '_>, size: Size) {
    let workspace = size.workspace();
    bencher.counter(size.bytes()).bench_local(|| {
        for file in rust(&workspace) {
            let tokens = TokenStream::from_str(&file.text).expect("tokens");
            black_box(nesting::check(&tokens).is_ok());
            drop(tokens);
            proc_macro2::extra::invalidate_current_thread_spans();
        }
    });
}

#[divan::bench(args = sizes())]
fn lower_all(bencher: Bencher<'_, '_>, size: Size) {
    let workspace = size.workspace();
    bencher.counter(size.bytes()).bench_local(|| trees(&workspace));
}

#[divan::bench(args = sizes())]
fn link(bencher: Bencher<'_, '_>, size: Size) {
    let workspace = size.workspace();
    bencher
        .counter(size.bytes())
        .with_inputs(|| trees(&workspace))
        .bench_local_values(|trees| Program::build(&workspace, trees));
}

#[divan::bench(args = sizes())]
fn flow(bencher: Bencher<'_, '_>, size: Size) {
    let (workspace, config) = (size.workspace(), Config::default());
    let program = Program::build(&workspace, trees(&workspace));
    bencher.counter(size.bytes()).bench_local(|| {
        let mut evaluator = Evaluator::new(&program, &workspace, &config);
        program.functions().for_each(|id| drop(black_box(evaluator.flow(id))));
    });
}

/// Everything behind reading: what the other stages do not take of it is the races.
#[divan::bench(args = sizes())]
fn analyse(bencher: Bencher<'_, '_>, size: Size) {
    let (workspace, config) = (size.workspace(), Config::default());
    bencher.counter(size.bytes()).bench_local(|| racelint::analyse(&workspace, &config));
}

#[divan::bench(args = sizes())]
fn write_reports(bencher: Bencher<'_, '_>, size: Size) {
    let workspace = size.workspace();
    let analysis = racelint::analyse(&workspace, &Config::default());
    let report =
        Report { workspace: &workspace, findings: &analysis.findings, notices: &[], counts: Counts::default() };
    bencher.bench_local(|| {
        for format in Format::ALL {
            report::write(format, &report, &report::Options::default(), &mut std::io::sink()).expect("nothing fails");
        }
    });
}
