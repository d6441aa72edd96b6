//! Arguments in, exit status out; the only code that prints.

mod args;
mod baseline;
mod check;
mod commands;
mod found;
mod output;
mod progress;
mod stdin;
mod terminal;
mod why;

use std::any::Any;
use std::ffi::OsString;
use std::process::ExitCode;
use std::thread;

use clap::Parser;

use crate::report::escape;
use args::{Arguments, Command};

/// In bytes; reserved, and used only by what is nested deeply.
const MAIN_STACK: usize = 256 << 20;
const POOL_STACK: usize = 64 << 20;

const CLEAN: u8 = 0;
const FINDINGS: u8 = 1;
const FAILED: u8 = 2;

/// Why a command could not run: sentences for standard error.
#[derive(Debug, PartialEq, Eq)]
struct Failure(String);

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    of(std::env::args_os().collect())
}

/// The same as cargo calls it: with the sub-command's own name as the first argument.
pub fn cargo() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "racelint") {
        arguments.remove(1);
    }
    of(arguments)
}

fn of(arguments: Vec<OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(args::with_command(arguments)) {
        Ok(arguments) => arguments,
        Err(error) => return told(&error),
    };
    ExitCode::from(on_a_deep_stack(arguments))
}

/// Help and versions go to standard output, what is wrong to standard error.
fn told(error: &clap::Error) -> ExitCode {
    // A closed pipe is the only way in which this fails.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { FAILED } else { CLEAN })
}

/// A stack overflow cannot be caught, so the stack is deeper than what the limits on nesting let through.
fn on_a_deep_stack(arguments: Arguments) -> u8 {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        // What a panic says may quote the analysed project; it is told below, escaped.
        std::panic::set_hook(Box::new(|_| {}));
    }
    let worker = thread::Builder::new().stack_size(MAIN_STACK).spawn(move || run(&arguments));
    let worker = match worker {
        Ok(worker) => worker,
        Err(error) => return failed(&Failure(format!("no thread could be started: {error}"))),
    };
    match worker.join() {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => failed(&failure),
        Err(panic) => failed(&Failure(format!("this is a bug in racelint, please report it: {}", said(&*panic)))),
    }
}

fn run(arguments: &Arguments) -> Result<u8, Failure> {
    match &arguments.command {
        Command::Check(check) => check::run(check),
        Command::Baseline(arguments) => baseline::run(arguments),
        Command::Explain { rule } => commands::explain(rule),
        Command::Rules { format } => commands::rules(*format),
        Command::Why { place } => why::run(place),
        Command::Dump { file, format } => commands::dump(file, *format),
        Command::Init { print } => commands::init(*print),
        Command::Config { schema: true, .. } => commands::schema(),
        Command::Config { path, .. } => commands::config(path),
        Command::Completions { shell } => commands::completions(*shell),
        Command::Man => commands::man(),
    }
}

fn failed(failure: &Failure) -> u8 {
    for line in failure.0.lines() {
        output::to_stderr(&format!("racelint: error: {}\n", escape::log(&escape::line(line))));
    }
    FAILED
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
