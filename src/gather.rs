//! Findings that one helper has in common: a function that saves a whole row is wrong in each place that calls it, and one
//! mended function mends them all.

use rustc_hash::FxHashMap;

use crate::finding::{CallSite, Finding, Role, Who};
use crate::report::summary::count;
use crate::rules::{check_then_insert, check_then_update, double_fire, lost_update, stale_guard, table_lock};

/// Tells the lost updates that end in one statement of a helper as one finding, in the place of the first; the others
/// are among its callers. So are checks of what one helper reads before another writes, and the tables of one lock.
///
/// In: findings in the order in which they are reported. Those that say different things stay apart.
pub fn by_helper(findings: Vec<Finding>) -> Vec<Finding> {
    let mut first_of: FxHashMap<_, Vec<(Said, usize)>> = FxHashMap::default();
    let mut more: Vec<usize> = Vec::new();
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let labelled = |role| finding.labels.iter().find(|label| label.role == role);
        let read = match finding.rule {
            lost_update::ID => Some(None),
            check_then_update::ID | check_then_insert::ID | stale_guard::ID => labelled(Role::Read).map(Some),
            // The call that is made twice stands in the helper as well, and the check between.
            double_fire::ID => labelled(Role::Effect).map(Some),
            table_lock::ID => Some(None),
            _ => None,
        };
        let helper = match finding.rule {
            table_lock::ID => labelled(Role::Lock),
            _ => labelled(Role::Write).filter(|label| label.span != finding.at),
        };
        if let (Some(helper), Some(read)) = (helper, read) {
            let said = Said::of(&finding);
            let pair = (finding.rule, helper.span, read.map(|label| label.span), said.shapes());
            let alike = first_of.entry((pair, stem(&finding.message).to_owned())).or_default();
            match alike.iter().find(|(known, _)| known.is_like(&said)).map(|(_, place)| *place) {
                // What one function reads for two writes are two places to mend; what it reads again is another place of
                // the same kind.
                Some(first)
                    if read.is_some()
                        && kept[first].function == finding.function
                        && calls_to_read(&kept[first]) == calls_to_read(&finding) => {}
                Some(first) => {
                    more[first] += 1;
                    add(&mut kept[first], finding);
                    continue;
                }
                None => alike.push((said, kept.len())),
            }
        }
        kept.push(finding);
        more.push(0);
    }
    for (finding, more) in kept.iter_mut().zip(more).filter(|(_, more)| *more > 0) {
        if finding.rule == table_lock::ID {
            finding.message = table_lock::message(&count(more + 1, "table"));
            continue;
        }
        let places = format!("here and in {}", count(more, "other place"));
        finding.message = match finding.message.split_once(UNDONE).filter(|(_, by)| by.ends_with(BETWEEN)) {
            Some((what, by)) => {
                let by = by.strip_suffix(BETWEEN).unwrap_or(by).trim_end_matches(',');
                format!("{what}, {places}, and what others write{BETWEEN}; here what {by}")
            }
            None => format!("{}, {places}", finding.message),
        };
    }
    kept.sort_by(|a, b| (a.at, a.rule, &a.fingerprint).cmp(&(b.at, b.rule, &b.fingerprint)));
    kept
}

/// What two requests send and decide by, as far as it tells two findings of one helper apart: what one helper sends for all who
/// call it is one thing to mend, what each of them hands it to send is not.
struct Said {
    statements: Vec<String>,
    check: Option<String>,
}

impl Said {
    fn of(finding: &Finding) -> Self {
        let steps = || finding.story.steps.iter().filter(|step| step.who == Who::A);
        let told = |role| steps().find(|step| step.role == role).map(|step| step.text.clone());
        let roles: &[Role] = match finding.rule {
            table_lock::ID => &[],
            // It is the saving that is mended, whatever stands in the row.
            lost_update::ID if finding.message.ends_with(BETWEEN) => &[],
            lost_update::ID => &[Role::Write],
            _ => &[Role::Read, Role::Write],
        };
        let check = told(Role::Check).filter(|_| finding.rule != lost_update::ID);
        Self { statements: roles.iter().filter_map(|role| told(*role)).collect(), check }
    }

    /// The statements without the values that stand in them: a helper that puts them together writes some as constants.
    fn shapes(&self) -> Vec<String> {
        self.statements.iter().map(|text| shape(text)).collect()
    }

    /// Whether one thing to mend is said, of two with statements of the same shape.
    fn is_like(&self, other: &Self) -> bool {
        self.check == other.check || self.statements == other.statements
    }
}

/// A statement's text with one mark for each value.
fn shape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let quoted = first == '\'';
        let length = match quoted {
            true => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            false => rest.find(|c: char| !(c.is_alphanumeric() || "_$?:".contains(c))).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(length.max(first.len_utf8()));
        let is_value = quoted
            || word.starts_with(|c: char| c.is_ascii_digit() || "$?:".contains(c))
            || matches!(word, "true" | "false" | "NULL");
        out.push_str(if is_value { "?" } else { word });
        rest = after;
    }
    out
}

/// Tells one more place with those of a finding, at the place where most is done twice.
fn add(told: &mut Finding, mut other: Finding) {
    if weight(&other.message) > weight(&told.message) {
        std::mem::swap(told, &mut other);
    }
    told.callers.push(CallSite { function: other.function, span: other.at });
    told.callers.extend(other.callers);
    told.confidence = told.confidence.max(other.confidence);
}

/// How much a message says of what is done again.
fn weight(message: &str) -> u8 {
    if message.ends_with(EACH_OWN) { 2 } else { u8::from(message.ends_with(AS_WELL)) }
}

/// The calls that lead to what a finding reads.
fn calls_to_read(finding: &Finding) -> &[CallSite] {
    let read = finding.labels.iter().position(|label| label.role == Role::Read);
    let trace = finding.traces.iter().find(|trace| Some(trace.label) == read);
    trace.map_or(&[], |trace| trace.calls.as_slice())
}

/// Before the statement that is undone.
pub const UNDONE: &str = ", and what ";

/// After it.
pub const BETWEEN: &str = " in between is undone";

/// The end of a message that says what else both requests write or call.
pub const AS_WELL: &str = " as well";

/// The end of one that says where both write different things.
pub const EACH_OWN: &str = " values of its own";

/// What a finding says whoever it is that is undone, and whatever is done beside it.
fn stem(message: &str) -> &str {
    if message.ends_with(table_lock::WAITING) {
        return table_lock::WAITING;
    }
    if weight(message) > 0 {
        return message.rsplit_once(", and ").map_or(message, |(stem, _)| stem);
    }
    message.split_once(UNDONE).filter(|_| message.ends_with(BETWEEN)).map_or(message, |(what, _)| what)
}
