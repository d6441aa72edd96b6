//! How the statements on one line were judged, with every sequence they are part of: for `racelint why`.

use crate::analyse::{Evaluated, evaluated, given, left_out};
use crate::config::Config;
use crate::event::{Event, EventKind, Flow};
use crate::protect::Verdict;
use crate::race::scene::Scene;
use crate::race::{Sequence, common};
use crate::rules::claim::Claim;
use crate::source::lines::LineIndex;
use crate::source::{FileKind, Target, Workspace};
use crate::span::{FileId, Span};
use crate::story::{holder, protection, reason, words};

/// What was made of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// In the order of the source.
    pub statements: Vec<Told>,
    /// Why there is none, when there is none; one sentence, lower case, no full stop.
    pub nothing: Option<String>,
}

/// One statement that the line sends, by itself or by a call, or decides about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub at: Span,
    /// In the program's own words, on one line.
    pub text: String,
    /// The function whose text holds it.
    pub function: String,
    /// The engine and level, such as `PostgreSQL, READ COMMITTED`.
    pub judged_for: String,
    pub sequences: Vec<Judged>,
    /// Why there is no sequence, when there is none.
    pub alone: Option<String>,
}

/// One sequence that the statement ends or begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub read: Span,
    pub write: Span,
    /// The function that holds both.
    pub function: String,
    /// `safe`, the rule that reports it, or why no rule does.
    pub verdict: String,
    /// What protects, with its place; or what was tried and does not hold.
    pub reasons: Vec<(String, Option<Span>)>,
}

/// Says how what begins, ends or lies on a line (from 1) was judged.
pub fn why(workspace: &Workspace, config: &Config, file: FileId, line: u32) -> Why {
    if line == 0 || line > LineIndex::new(&workspace.file(file).text).count() {
        return Why { nothing: Some("the file has no such line".to_owned()), ..Why::default() };
    }
    evaluated(workspace, config, &|program| {
        Asked { program, file, line, lines: LineIndex::new(&workspace.file(file).text) }.answer()
    })
}

struct Asked<'a, 'e, 'p> {
    program: &'a Evaluated<'e, 'p>,
    file: FileId,
    line: u32,
    lines: LineIndex<'a>,
}

impl Asked<'_, '_, '_> {
    fn answer(&self) -> Why {
        let mut statements: Vec<Told> = Vec::new();
        let touched = |flow: &Flow| flow.events.iter().any(|event| self.is_asked(event));
        for flow in self.program.flows.iter().filter(|flow| touched(flow)) {
            let scene = self.program.scene(flow);
            for event in flow.events.iter().filter(|event| self.is_asked(event)) {
                let place = statements.iter().position(|told| told.at == event.span);
                let place = place.unwrap_or_else(|| {
                    statements.push(self.statement(&scene, event));
                    statements.len() - 1
                });
                for judged in self.sequences(&scene, event) {
                    let known = &mut statements[place].sequences;
                    if !known.contains(&judged) {
                        known.push(judged);
                    }
                }
            }
        }
        statements.sort_by_key(|told| told.at);
        for told in &mut statements {
            told.sequences.sort_by(|a, b| (a.read, a.write, &a.function).cmp(&(b.read, b.write, &b.function)));
            if told.sequences.is_empty() {
                told.alone = Some(self.alone(told.at));
            }
        }
        let nothing = statements.is_empty().then(|| self.nothing());
        Why { statements, nothing }
    }

    /// Whether the line sends a statement, calls what sends it, or decides whether a write is sent.
    fn is_asked(&self, event: &Event) -> bool {
        let Some(access) = event.access() else { return false };
        let decides = |cond: &crate::event::CondId| self.touches(self.program.ev.cond(*cond).span);
        self.touches(event.span)
            || event.calls.iter().any(|call| self.touches(call.span))
            || access.statement.writes() && event.deps.iter().any(decides)
    }

    fn touches(&self, span: Span) -> bool {
        if span.file != self.file {
            return false;
        }
        let last = self.lines.line(span.at.end.saturating_sub(1).max(span.at.start));
        (self.lines.line(span.at.start)..=last).contains(&self.line)
    }

    fn statement(&self, scene: &Scene<'_, '_>, event: &Event) -> Told {
        Told {
            at: event.span,
            text: words::statement(event),
            function: scene.ev.program.path_of(event.function),
            judged_for: reason::judged_for(scene, event),
            sequences: Vec::new(),
            alone: None,
        }
    }

    /// The sequences that end or begin with a statement and whose halves meet in this function.
    fn sequences(&self, scene: &Scene<'_, '_>, event: &Event) -> Vec<Judged> {
        let claims = crate::rules::judge(scene, &|read, write| read.id == event.id || write.id == event.id).claims;
        let writes = scene.flow.events.iter().filter(|write| write.access().is_some_and(|it| it.statement.writes()));
        let mut found = Vec::new();
        for write in writes {
            for sequence in scene.sequences(write).iter() {
                let Some(read) = scene.event(sequence.read) else { continue };
                if (read.id == event.id || write.id == event.id) && self.is_judged_here(scene.flow, read, write) {
                    found.push(self.judged(scene, sequence, (read, write), &claims));
                }
            }
        }
        let itself = claims.iter().filter(|claim| {
            claim.sequence.read == event.id && claim.sequence.write == event.id && event.calls.is_empty()
        });
        found.extend(itself.map(|claim| Judged {
            read: event.span,
            write: event.span,
            function: scene.ev.program.path_of(event.function),
            verdict: claim.rule.to_owned(),
            reasons: vec![(reason::why(scene, claim, event), None)],
        }));
        found
    }

    /// A sequence is judged in the function that holds both halves, or by its callers when they hand in the connection.
    fn is_judged_here(&self, flow: &Flow, read: &Event, write: &Event) -> bool {
        let depth = common(read, write);
        let ev = self.program.ev;
        let called = ev.calls.callers.get(&flow.function).is_some_and(|callers| !callers.is_empty());
        if depth == 0 {
            return !called || !(given(ev, flow, read) || given(ev, flow, write));
        }
        let Some(inner) = self.program.flows.iter().find(|inner| inner.function == holder(flow, read, depth)) else {
            return false;
        };
        let first =
            read.calls.first().and_then(|call| self.program.flows.iter().find(|own| own.function == call.function));
        let holds = |of: &Flow, span: Span| of.events.iter().any(|event| event.span == span);
        if first.is_some_and(|first| {
            ev.in_place.contains(&first.function) && !(holds(first, read.span) && holds(first, write.span))
        }) {
            return true;
        }
        let at = |span: Span| inner.events.iter().find(move |event| event.span == span);
        at(read.span).is_some_and(|event| given(ev, inner, event))
            || at(write.span).is_some_and(|event| given(ev, inner, event))
    }

    fn judged(
        &self,
        scene: &Scene<'_, '_>,
        sequence: &Sequence,
        (read, write): (&Event, &Event),
        claims: &[Claim],
    ) -> Judged {
        let reports = |claim: &&Claim| claim.sequence.read == read.id && claim.sequence.write == write.id;
        let claim = claims.iter().find(reports);
        let with = claims.iter().find(|claim| claim.also.iter().any(|also| reports(&also)));
        let (verdict, reasons): (String, Vec<(String, Option<Span>)>) = match (claim, scene.verdict(sequence)) {
            (Some(claim), _) => {
                let mut reasons = vec![reason::why(scene, claim, write)];
                reasons.extend(claim.tried.iter().map(|tried| reason::sentence(scene, tried, write)));
                let reasons = reasons.into_iter().map(|why| (why, None)).collect();
                match left_out(self.program, scene, claim) {
                    Some(why) => (format!("{} by its shape, but not told: {why}", claim.rule), reasons),
                    None => {
                        let sure = crate::report::summary::confidence(claim.confidence);
                        (format!("{}, {sure} confidence", claim.rule), reasons)
                    }
                }
            }
            (None, _) if with.is_some() => {
                let (rule, read) = with.map_or(("", None), |with| (with.rule, scene.event(with.sequence.read)));
                let text = format!("told as one more check of the {rule} that goes by this read");
                ("not held".to_owned(), vec![(text, read.map(|read| read.span))])
            }
            (None, Verdict::Safe(by)) => {
                let told = protection::protected(scene, sequence, &by);
                ("safe".to_owned(), told.map(|told| (told.by, told.at)).into_iter().collect())
            }
            (None, Verdict::Racy { tried }) => {
                let tried = tried.iter().map(|tried| (reason::sentence(scene, tried, write), None)).collect();
                ("nothing protects it, and no rule reports it here".to_owned(), tried)
            }
        };
        let mut once: Vec<(String, Option<Span>)> = Vec::new();
        for reason in reasons {
            if !once.contains(&reason) {
                once.push(reason);
            }
        }
        let function = scene.ev.program.path_of(scene.flow.function);
        Judged { read: read.span, write: write.span, function, verdict, reasons: once }
    }

    fn alone(&self, at: Span) -> String {
        let writes =
            self.program.flows.iter().flat_map(|flow| flow.events.iter()).any(|event| {
                event.span == at && event.access().is_some_and(|access| access.statement.target().is_some())
            });
        if writes {
            "no earlier read decides whether it runs, what it writes or which row".to_owned()
        } else {
            "no later write depends on it".to_owned()
        }
    }

    fn nothing(&self) -> String {
        let ev = self.program.ev;
        let file = ev.workspace.file(self.file);
        if let Some(notice) = self.program.notices.iter().find(|notice| notice.path == file.path) {
            return format!("the file was not analysed: {}", notice.text);
        }
        match file.kind {
            FileKind::Sql => return "statements are judged where Rust sends them".to_owned(),
            FileKind::Rust(Target::Main) if crate::sql::migrations::is_step(&file.path) => {
                return "migrations are not judged: they run once, before anything is served".to_owned();
            }
            FileKind::Rust(Target::Main) => {}
            FileKind::Rust(_) => return "tests, examples, benches and build scripts are not judged".to_owned(),
        }
        let mut around = ev.program.functions().filter(|id| {
            ev.program.file_of(*id) == self.file && self.touches(ev.program.function(*id).at.in_file(self.file))
        });
        let Some(id) = around.next() else { return "no function stands on this line".to_owned() };
        let path = ev.program.path_of(id);
        if !self.program.roots.contains(&id) {
            return format!("{path} is not judged: it is a test, or has no body");
        }
        let other =
            self.program.flows.iter().flat_map(|flow| flow.events.iter()).find(|event| self.touches(event.span));
        match other.map(|event| &event.kind) {
            Some(EventKind::Begin { .. }) => "a transaction begins here, and no statement is sent".to_owned(),
            Some(EventKind::Commit | EventKind::Rollback) => {
                "a transaction ends here, and no statement is sent".to_owned()
            }
            Some(EventKind::Effect(effect)) => {
                format!("{} leaves the process here, and no statement is sent", effect.name)
            }
            _ => format!("no statement that racelint understands is sent from this line of {path}"),
        }
    }
}
