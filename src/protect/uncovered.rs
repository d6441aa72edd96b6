//! What a unique key leaves open of what was asked for: one way of an OR, and rows that a partial index does not hold.

use crate::dialect::Dialect;
use crate::event::Access;
use crate::flow::term::{Term, TermId};
use crate::lower::tree::Name;
use crate::protect::WhyNot;
use crate::protect::constraint::asks_for;
use crate::race::dependency::given_terms;
use crate::race::scene::Scene;
use crate::sql::parse::parse;
use crate::sql::schema::{TableDef, Unique};
use crate::sql::statement::{Access as TableAccess, Action, Compare, ConflictTarget, Operand};

/// `WHERE email = $1 OR name = $2`: the columns of one of the ways that no key covers, where the inserted row is found that
/// way as well. A second row with another value in the other columns is not refused. Nor is (b, a) beside (a, b), where
/// both were asked for.
pub(super) fn way(
    scene: &Scene<'_, '_>,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> Option<WhyNot> {
    let table = scene.schema.table(&write.1.table.name)?;
    let choices = read.1.filter.iter().filter(|predicate| predicate.op == Compare::Other);
    let ways = choices.flat_map(|choice| {
        let others = read.1.filter.iter().filter(move |other| !std::ptr::eq(*other, choice));
        let beside = TableAccess { filter: others.cloned().collect(), ..read.1.clone() };
        let ways = ways_of(&choice.value);
        // A single way is a condition as any other.
        let several = ways.len() > 1;
        ways.into_iter().filter(move |_| several).map(move |way| (beside.clone(), way))
    });
    let open = ways.filter_map(|(beside, way)| {
        let mut asked: Vec<(&Name, &Operand)> = Vec::new();
        equalities(way, &mut asked);
        if let Some(columns) = crossed(scene, &asked, read.0, write).filter(|columns| !is_one_pair(table, columns)) {
            return Some(WhyNot::OneOrder(columns));
        }
        let inserted = |(column, value): &(&Name, &Operand)| {
            let terms = given_terms(scene, write, column);
            let asked = scene.terms_in(read.0, value);
            // One of a list that was made of it, or in letters of one case.
            let terms_of = &scene.ev.terms;
            let of = |term: &TermId| {
                asked.iter().any(|asked| terms_of.mentions(*term, *asked) || terms_of.mentions(*asked, *term))
            };
            !asked.is_empty() && terms.iter().any(of)
        };
        let keys = table.all_keys();
        let has =
            |column: &Name| asked.iter().any(|(own, _)| *own == column) || asks_for(&read.0.statement, &beside, column);
        let covered = keys.into_iter().any(|key| !key.is_empty() && key.iter().all(has));
        let open = !asked.is_empty() && asked.iter().all(inserted) && !covered;
        open.then(|| {
            let mut columns: Vec<Name> = asked.iter().map(|(column, _)| (*column).clone()).collect();
            let beside = beside.filter.iter().filter(|other| other.op == Compare::Eq && other.columns.len() == 1);
            let beside = beside.map(|other| (&other.columns[0], &other.value)).filter(inserted);
            columns.splice(0..0, beside.map(|(column, _)| column.clone()));
            columns.dedup();
            WhyNot::NoUniqueKey(columns)
        })
    });
    open.into_iter().next()
}

/// Whether any row was asked for, and the new one has in a column what every request gives it: there is meant to be one row.
/// What is not given is the same for all where a CHECK says so, or where the statement counts on it to meet the row that is there.
pub(super) fn is_of_the_only_row(
    scene: &Scene<'_, '_>,
    read: &TableAccess,
    (access, target): (&Access, &TableAccess),
    column: &Name,
) -> bool {
    let fixed = |value: &Operand| {
        let constant = access.constant(&scene.ev.terms, value);
        constant.is_some_and(|text| !matches!(text.as_str(), "NULL" | "none"))
    };
    let says_so = || {
        let def = scene.schema.table(&target.table.name);
        let mut checks = def.into_iter().flat_map(|def| &def.checks).filter(|check| check.columns == [column.clone()]);
        checks.any(|check| !check.text.contains(['<', '>', '(']) && !check.text.to_lowercase().contains(" in "))
    };
    let counts_on_it = || {
        let arbiter = target.conflict.as_ref().map(|conflict| &conflict.target);
        matches!(arbiter, Some(ConflictTarget::Columns(columns)) if columns.contains(column))
    };
    let mut given = target.sets.iter().filter(|set| set.column == *column).peekable();
    target.action == Action::Insert
        && read.filter.is_empty()
        && match given.peek() {
            Some(_) => given.all(|set| fixed(&set.value)),
            None => says_so() || counts_on_it(),
        }
}

/// Two columns in which a row is asked for that holds the inserted values the other way round.
fn crossed(
    scene: &Scene<'_, '_>,
    asked: &[(&Name, &Operand)],
    read: &Access,
    write: (&Access, &TableAccess),
) -> Option<Vec<Name>> {
    let of = |value: &Operand, column: &Name| {
        let (asked, given) = (scene.terms_in(read, value), given_terms(scene, write, column));
        !asked.is_empty() && asked.iter().all(|term| given.contains(term))
    };
    let pairs = asked.iter().enumerate().flat_map(|(i, one)| asked[i + 1..].iter().map(move |other| (one, other)));
    let mut crossed = pairs.filter(|((a, of_a), (b, of_b))| of(of_a, b) && of(of_b, a) && !of(of_a, a) && !of(of_b, b));
    crossed.next().map(|((a, _), (b, _))| vec![(*a).clone(), (*b).clone()])
}

/// Whether the table knows two columns as a pair without an order: a key over the smaller and the greater of the two, or a
/// CHECK that lets one of the two orders in.
fn is_one_pair(table: &TableDef, columns: &[Name]) -> bool {
    let both = |known: &[Name]| columns.iter().all(|column| known.contains(column));
    table.uniques.iter().any(|unique| unique.expression && both(&unique.columns))
        || table.checks.iter().any(|check| check.text.contains(['<', '>']) && both(&check.columns))
}

/// The ways of an OR.
fn ways_of(condition: &Operand) -> Vec<&Operand> {
    match condition {
        Operand::Expr { text, parts } if text == "or" => parts.iter().flat_map(ways_of).collect(),
        other => vec![other],
    }
}

/// The columns that a condition compares with a value, or with each of a list, as they are or in letters of one case.
fn equalities<'a>(condition: &'a Operand, found: &mut Vec<(&'a Name, &'a Operand)>) {
    let Operand::Expr { text, parts } = condition else { return };
    match (text.as_str(), parts.as_slice()) {
        ("and", parts) => parts.iter().for_each(|part| equalities(part, found)),
        ("=" | "any", [one, other]) => {
            let sides = [(one, other), (other, one)];
            found.extend(sides.into_iter().find_map(|(side, value)| match side.in_any_case() {
                Operand::Column { table: None, column } => Some((column, value)),
                _ => None,
            }));
        }
        _ => {}
    }
}

/// Whether a row goes in beside those that a key holds because one of its columns is NULL there: of such rows each is another
/// one. That the column is asked for as NULL says the same.
pub(super) fn holds_nothing(
    scene: &Scene<'_, '_>,
    table: &TableDef,
    key: &[Name],
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> bool {
    let computed = table.uniques.iter().any(|unique| unique.expression && unique.columns == key);
    if computed || table.primary_key == key || scene.config.dialect == Some(Dialect::MsSql) {
        return false;
    }
    let nullable = |column: &Name| table.columns.iter().any(|def| def.name == *column && def.nullable);
    let null = |column: &Name| {
        let mut given = write.1.sets.iter().filter(|set| set.column == *column);
        let in_row = given.any(|set| write.0.constant(&scene.ev.terms, &set.value).is_some_and(|text| text == "NULL"));
        in_row || read.1.filter.iter().any(|asked| asked.op == Compare::IsNull && asked.columns.contains(column))
    };
    key.iter().any(|column| nullable(column) && null(column))
}

/// Whether a written row is none of those that a partial index holds, or not known to be one: it says so itself, or its
/// caller says what it holds there, and nobody asked for that.
pub(super) fn lies_outside(
    scene: &Scene<'_, '_>,
    unique: &Unique,
    read: (&Access, &TableAccess),
    write: (&Access, &TableAccess),
) -> bool {
    let Some(condition) = &unique.partial else { return false };
    let text = format!("SELECT 1 FROM {} WHERE {condition}", write.1.table.name);
    let parsed = parse(&text, Dialect::Postgres);
    let Some(held) = parsed.statements.first().and_then(|statement| statement.accesses.first()) else { return false };
    held.filter.iter().any(|predicate| {
        let [column] = predicate.columns.as_slice() else { return false };
        let mut given = write.1.sets.iter().filter(|set| set.column == *column).map(|set| &set.value);
        let Some(value) = given.next().filter(|_| given.next().is_none()) else { return false };
        let constant = write.0.constant(&scene.ev.terms, value);
        let null = constant.as_ref().is_some_and(|text| text == "NULL");
        let asked = || read.1.filter.iter().any(|asked| asked.columns.contains(column));
        let handed_in = || write.0.bound(value).is_some_and(|term| matches!(scene.ev.terms.get(term), Term::Param(..)));
        match (predicate.op, &predicate.value) {
            (Compare::IsNull, _) => !null && (constant.is_some() || write.0.is_now(&scene.ev.terms, value)),
            (Compare::IsNotNull, _) => null,
            (Compare::Eq, Operand::Literal(wanted)) => match constant {
                Some(given) => given != wanted.as_str(),
                None => !asked() && handed_in(),
            },
            (Compare::Ne, Operand::Literal(barred)) => constant.is_some_and(|given| given == barred.as_str()),
            _ => false,
        }
    })
}
