//! The last resort: table, action and simple conditions of a statement that sqlparser refuses, read off its tokens.

use super::render::Prepared;
use crate::sql::control;
use crate::sql::lex::{self, Kind, Token};
use crate::sql::statement::{
    Access, Action, Assignment, Compare, Operand, Output, Place, Predicate, Statement, Table, Verb,
};

/// The statement's outline, with a gap on record. None when the text has not even that.
pub(super) fn lenient(prepared: &Prepared) -> Option<Statement> {
    let tokens = prepared.tokens();
    let top = top_level(tokens);
    let at = |words: &[&str], from: usize| top.iter().copied().find(|&i| i >= from && tokens[i].is_any(words));
    let first = tokens.first()?;
    let start = match first.is("with") {
        true => at(&["select", "insert", "update", "delete"], 1)?,
        false => 0,
    };
    let verb = &tokens[start];
    let (verb, action, table_at, rest) = if verb.is("select") {
        let from = at(&["from"], start + 1)?;
        (Verb::Select, Action::Read, from + 1, from + 2)
    } else if verb.is("update") {
        let set = at(&["set"], start + 2)?;
        (Verb::Update, Action::Update, start + 1, set)
    } else if verb.is("delete") {
        let from = Some(start + 1).filter(|&i| tokens.get(i).is_some_and(|t| t.is("from")))?;
        (Verb::Delete, Action::Delete, from + 1, from + 2)
    } else if verb.is_any(&["insert", "replace"]) {
        let into = at(&["into"], start + 1)?;
        at(&["values", "select", "default", "set"], into + 2)?;
        (Verb::Insert, Action::Insert, into + 1, into + 2)
    } else {
        return None;
    };
    let table = table(tokens, table_at)?;
    let next = table_at + if table.schema.is_some() { 3 } else { 1 };
    let goes_on = tokens.get(next).is_none_or(|t| !t.is_name() || tokens.get(next + 1).is_none_or(|t| !t.is_name()));
    if !goes_on {
        return None;
    }
    let end = |from: usize| {
        let words = ["where", "group", "order", "limit", "returning", "for", "on", "union", "from", "having", "offset"];
        at(&words, from).unwrap_or(tokens.len())
    };
    let mut access = empty(table, action);
    access.lock = prepared.locks.first().cloned();
    access.ordered = prepared.ordered || at(&["order"], rest).is_some();
    access.limit = prepared.limit;
    if let Some(filter) = at(&["where"], rest) {
        access.filter = conditions(&tokens[filter + 1..end(filter + 1)]);
    }
    if action == Action::Update {
        access.sets = lex::parts(&tokens[rest + 1..end(rest + 1)]).into_iter().filter_map(assignment).collect();
    }
    let output = match (action, at(&["returning"], rest)) {
        (Action::Read, _) => outputs(&tokens[start + 1..table_at - 1]),
        (_, Some(returning)) => outputs(&tokens[returning + 1..]),
        _ => Vec::new(),
    };
    let gaps = vec!["the statement is not understood in full".to_owned()];
    Some(Statement { verb, accesses: vec![access], output, gaps })
}

/// The tokens outside of all brackets.
fn top_level(tokens: &[Token]) -> Vec<usize> {
    let mut depth = 0usize;
    let mut out = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if token.punct("(") {
            depth += 1;
        } else if token.punct(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            out.push(i);
        }
    }
    out
}

fn table(tokens: &[Token], at: usize) -> Option<Table> {
    let first = tokens.get(at).filter(|t| t.is_name())?;
    let second = tokens.get(at + 2).filter(|t| t.is_name() && tokens[at + 1].punct("."));
    Some(match second {
        Some(second) => Table { schema: Some(first.name().into()), name: second.name().into(), alias: None },
        None => Table { schema: None, name: first.name().into(), alias: None },
    })
}

fn empty(table: Table, action: Action) -> Access {
    Access {
        table,
        action,
        place: Place::Main,
        filter: Vec::new(),
        columns: Vec::new(),
        sets: Vec::new(),
        lock: None,
        aggregate: None,
        limit: None,
        ordered: false,
        conflict: None,
    }
}

/// The parts between the ANDs; with an OR outside of brackets there are none to be sure of.
fn conditions(tokens: &[Token]) -> Vec<Predicate> {
    let top = top_level(tokens);
    let unknown =
        || Predicate { columns: vec!["?".into()], op: Compare::Other, value: Operand::Unknown, folded: false };
    if tokens.is_empty() || top.iter().any(|&i| tokens[i].is("or")) {
        return vec![unknown()];
    }
    let mut ends: Vec<usize> = top.into_iter().filter(|&i| tokens[i].is("and")).collect();
    ends.push(tokens.len());
    let mut from = 0;
    let mut out = Vec::new();
    for end in ends {
        let part = tokens.get(from..end).unwrap_or_default();
        from = end + 1;
        out.push(condition(part).unwrap_or_else(unknown));
    }
    out
}

/// `column = value` and its like, of single tokens.
fn condition(part: &[Token]) -> Option<Predicate> {
    let part = match part {
        [qualifier, dot, rest @ ..] if qualifier.is_name() && dot.punct(".") => rest,
        part => part,
    };
    let [column, op, value] = part else { return None };
    if !column.is_name() {
        return None;
    }
    let op = match op.text.as_str() {
        "=" => Compare::Eq,
        "<>" => Compare::Ne,
        other => Compare::of_operator(other)?,
    };
    Some(Predicate { columns: vec![column.name().into()], op, value: control::operand(value), folded: false })
}

fn assignment(part: &[Token]) -> Option<Assignment> {
    let [column, equals, value @ ..] = part else { return None };
    if !column.is_name() || !equals.punct("=") {
        return None;
    }
    let value = match value {
        [value] => control::operand(value),
        _ => Operand::Unknown,
    };
    Some(Assignment { column: column.name().into(), value })
}

fn outputs(tokens: &[Token]) -> Vec<Output> {
    let named = |part: &[Token]| {
        let last = part.last();
        let name = last.filter(|t| t.punct("*") || matches!(t.kind, Kind::Word | Kind::Quoted));
        let name = name.map_or("?".to_owned(), Token::name);
        let name = name.split(['!', ':']).next().unwrap_or_default().trim().to_owned();
        let from = if part.len() == 1 { vec![name.as_str().into()] } else { Vec::new() };
        Output::of(name.into(), from)
    };
    lex::parts(tokens).into_iter().map(named).collect()
}
