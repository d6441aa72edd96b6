//! The walk through a finding: request A's read and check, what request B does between, request A's write.

use serde_json::{Value, json};

use super::Run;
use crate::finding::{CallSite, Finding, Label, Role, StoryStep, Who};
use crate::report::{escape, summary};
use crate::span::Span;

/// The steps that GitHub keeps of a result's code flow.
pub const STEPS: usize = 1_000;

/// One place of the walk.
struct Stop {
    span: Span,
    text: String,
    /// How many calls lead to it.
    depth: usize,
    essential: bool,
}

/// The thread flow's locations, in the order of execution; at least one.
pub fn locations(run: &Run<'_>, finding: &Finding) -> Vec<Value> {
    stops(finding)
        .into_iter()
        .take(STEPS)
        .enumerate()
        .map(|(index, stop)| {
            json!({
                "executionOrder": index + 1,
                "nestingLevel": stop.depth,
                "importance": if stop.essential { "essential" } else { "important" },
                "location": run.location(&run.places.place(stop.span), &stop.text),
            })
        })
        .collect()
}

/// The number of places the walk has before it is cut.
pub fn length(finding: &Finding) -> usize {
    stops(finding).len()
}

fn stops(finding: &Finding) -> Vec<Stop> {
    let mut stops = Vec::new();
    for step in &finding.story.steps {
        step_stops(finding, step, &mut stops);
    }
    if stops.is_empty() {
        for (index, label) in finding.labels.iter().enumerate() {
            let calls = calls_to(finding, index);
            push_calls(&mut stops, calls, "");
            stops.push(Stop {
                span: label.span,
                text: label.text.clone(),
                depth: calls.len(),
                essential: is_essential(label.role),
            });
        }
    }
    if stops.is_empty() {
        stops.push(Stop { span: finding.at, text: finding.message.clone(), depth: 0, essential: true });
    }
    stops
}

/// The step with the calls that lead to it. A step without a place of its own stands where its role's label does.
fn step_stops(finding: &Finding, step: &StoryStep, stops: &mut Vec<Stop>) {
    let who = match step.who {
        Who::A => "request A",
        Who::B => "request B",
    };
    let same_place = |label: &Label| Some(label.span) == step.span;
    let same_role = |label: &Label| step.span.is_none() && label.role == step.role;
    let label = finding.labels.iter().position(|label| same_place(label) || same_role(label));
    let Some(span) = step.span.or_else(|| label.map(|index| finding.labels[index].span)) else {
        return;
    };
    let calls = label.map_or(&[][..], |index| calls_to(finding, index));
    push_calls(stops, calls, who);
    let words = summary::clip(&escape::line(&step.text), 200, "…");
    let mut text = format!("{who}, {}: {words}", summary::role(step.role));
    if let Some(state) = &step.state {
        text.push_str(&format!(" → {}", escape::line(state)));
    }
    stops.push(Stop { span, text, depth: calls.len(), essential: is_essential(step.role) });
}

fn push_calls(stops: &mut Vec<Stop>, calls: &[CallSite], who: &str) {
    for (depth, call) in calls.iter().enumerate() {
        let text =
            if who.is_empty() { format!("calls {}", call.function) } else { format!("{who} calls {}", call.function) };
        stops.push(Stop { span: call.span, text, depth, essential: false });
    }
}

fn calls_to(finding: &Finding, label: usize) -> &[CallSite] {
    finding.traces.iter().find(|trace| trace.label == label).map_or(&[], |trace| &trace.calls)
}

fn is_essential(role: Role) -> bool {
    matches!(role, Role::Read | Role::Check | Role::Write | Role::Effect)
}
