//! What a run finds out: remembered where nothing has changed, else read and analysed.

use super::Failure;
use super::args::Reading;
use super::check::{self, Read};
use crate::analyse;
use crate::cache::{Cache, home};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::source::disk::{Disk, Heard};
use crate::source::{self, Options, Place, Workspace};

/// What a run has to have of the workspace besides its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The texts that the outcome points into.
    Places,
    /// All texts and packages.
    Everything,
}

/// What is read, and perhaps what was found out about it before.
pub struct Found {
    pub read: Read,
    /// Known without an analysis.
    outcome: Option<Outcome>,
    /// Where to keep an outcome, with all that it depends on; not where everything is known already.
    kept_in: Option<(Cache, Heard)>,
}

impl Found {
    /// Reads what the command line asks for. Parallel work runs from here on.
    pub fn at(reading: &Reading, needs: Needs) -> Result<Self, Failure> {
        let config = check::configuration(reading, &reading.paths)?;
        check::start_threads(reading.threads)?;
        let options = check::options(reading, &config);
        let failure = |error: source::Error| Failure(error.to_string());
        let place = source::place(&reading.paths).map_err(failure)?;
        let cache = cache(reading, &place, &options, &config.without_choices());
        let paths = reading.paths.clone();
        if needs == Needs::Places
            && let Some((workspace, outcome)) = cache.as_ref().and_then(Cache::recall)
        {
            let read = Read { workspace, config, options, only: None, paths };
            return Ok(Self { read, outcome: Some(outcome), kept_in: None });
        }
        let disk = if cache.is_some() { Disk::attentive() } else { Disk::default() };
        let workspace = source::attentively(&place, &paths, &options, &disk).map_err(failure)?;
        let kept_in = cache.zip(disk.heard());
        let recalled = |(cache, heard): &(Cache, Heard)| cache.recall_for(heard);
        let outcome = kept_in.as_ref().filter(|_| needs == Needs::Everything).and_then(recalled);
        Ok(Self { read: Read { workspace, config, options, only: None, paths }, outcome, kept_in })
    }

    /// For what no earlier run knows.
    pub fn anew(read: Read) -> Self {
        Self { read, outcome: None, kept_in: None }
    }

    /// Analyses what was read, unless the outcome is known.
    pub fn outcome(&mut self, progress: &Progress) -> Outcome {
        if let Some(outcome) = self.outcome.take() {
            return outcome;
        }
        let outcome = analysed(&self.read, progress);
        if let Some((cache, heard)) = &self.kept_in {
            cache.keep(heard, &self.read.workspace, &outcome);
        }
        outcome
    }

    /// The same for the workspace as it was at an earlier commit.
    pub fn outcome_of_past(&self, past: &Workspace, progress: &Progress) -> Outcome {
        let cache = self.kept_in.as_ref().map(|(cache, _)| cache);
        if let Some(outcome) = cache.and_then(|cache| cache.recall_past(past)) {
            return outcome;
        }
        let outcome = analysed(&Read { workspace: past.clone(), ..self.read.clone() }, progress);
        if let Some(cache) = cache {
            cache.keep_past(past, &outcome);
        }
        outcome
    }
}

fn analysed(read: &Read, progress: &Progress) -> Outcome {
    Outcome::of(analyse::watched(&read.workspace, &read.config.without_choices(), progress), &read.workspace)
}

fn cache(reading: &Reading, place: &Place, options: &Options, config: &Config) -> Option<Cache> {
    if reading.no_cache {
        return None;
    }
    let dir = match &reading.cache_dir {
        Some(dir) => dir.clone(),
        None => home::directory(|name| std::env::var_os(name)).filter(|dir| !home::is_within(dir, place))?,
    };
    Cache::open(dir, place, options, config)
}
