//! Entities and sea-query migrations as tables.

use crate::client::sea_orm::entity::{self, Entity};
use crate::client::sea_orm::migration;
use crate::link::Program;
use crate::lower::tree::{Name, Segment, Ty};
use crate::sql::schema::{ColumnDef, ForeignKey, OnDelete, TableDef, Unique};

/// Tables in the order they came up, each once.
#[derive(Default)]
pub(super) struct Tables(Vec<(Name, TableDef)>);

/// The tables that the program's migrations make, in the order of the files, with what its entities say besides.
///
/// `down` is not read. A column, key or index that both name is there once; what only an entity says holds too, since
/// `Schema::create_table_from_entity` makes tables of it.
pub fn tables(program: &Program) -> Vec<(Name, TableDef)> {
    let mut tables = Tables::default();
    migration::apply(program, &mut tables);
    for id in program.types() {
        if let Some(entity) = Entity::of(program, id) {
            let mut def = of_entity(&entity);
            for link in entity::links(program, id).into_iter().filter(|link| !link.from.is_empty()) {
                let Some(target) = Entity::of(program, link.target) else { continue };
                let (columns, references) = (link.from, link.to);
                let on_delete = OnDelete::Unsaid;
                def.foreign_keys.push(ForeignKey { columns, table: target.table, references, on_delete });
            }
            tables.add(&entity.table, def);
        }
    }
    tables.0
}

fn of_entity(entity: &Entity) -> TableDef {
    let columns = entity.columns.iter().map(|column| ColumnDef {
        name: column.name.clone(),
        ty: written(&column.ty),
        nullable: column.nullable,
        generated: column.generated,
    });
    let uniques = entity.columns.iter().filter(|column| column.unique).map(|column| unique(vec![column.name.clone()]));
    TableDef {
        columns: columns.collect(),
        primary_key: entity.primary().map(|column| column.name.clone()).collect(),
        uniques: uniques.collect(),
        ..TableDef::default()
    }
}

pub(super) fn unique(columns: Vec<Name>) -> Unique {
    Unique { name: None, columns, expression: false, partial: None }
}

impl Tables {
    pub fn get(&mut self, name: &str) -> Option<&mut TableDef> {
        self.0.iter_mut().find(|(known, _)| known == name).map(|(_, def)| def)
    }

    /// The table of a name, made when it is not known: an index may be on a table that SQL made.
    pub fn entry(&mut self, name: &Name) -> &mut TableDef {
        let at = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push((name.clone(), TableDef::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    pub fn rename(&mut self, from: &str, to: &Name) {
        if let Some((name, _)) = self.0.iter_mut().find(|(known, _)| known == from) {
            *name = to.clone();
        }
    }

    pub fn drop_index(&mut self, index: &str) {
        for (_, def) in &mut self.0 {
            def.uniques.retain(|unique| unique.name.as_deref() != Some(index));
        }
    }

    /// Adds what is said of a table to what is known of it.
    pub fn add(&mut self, name: &Name, def: TableDef) {
        let known = self.entry(name);
        for column in def.columns {
            if known.columns.iter().all(|c| c.name != column.name) {
                known.columns.push(column);
            }
        }
        if known.primary_key.is_empty() {
            known.primary_key = def.primary_key;
        }
        for unique in def.uniques {
            if known.uniques.iter().all(|u| u.columns != unique.columns || u.partial.is_some()) {
                known.uniques.push(unique);
            }
        }
        for key in def.foreign_keys {
            if known.foreign_keys.iter().all(|k| k.columns != key.columns || k.table != key.table) {
                known.foreign_keys.push(key);
            }
        }
    }
}

/// A type's last name, lower case, without the option around it.
fn written(ty: &Ty) -> String {
    match ty {
        Ty::Path(path) => match path.segments.last() {
            Some(Segment { name, args, .. }) if name == "Option" => args.first().map(written).unwrap_or_default(),
            Some(segment) => segment.name.to_lowercase(),
            None => String::new(),
        },
        _ => String::new(),
    }
}
