//! Entities and migrations as tables.

use super::{ENTITIES, program, workspace};
use crate::lower::tree::Name;
use crate::sql::schema::TableDef;

fn tables(text: &str) -> Vec<(Name, TableDef)> {
    let text = text.to_owned();
    let run = std::thread::Builder::new().stack_size(crate::lower::STACK).spawn(move || {
        let workspace = workspace(&text);
        super::super::tables(&program(&workspace))
    });
    run.expect("a thread starts").join().expect("no panic")
}

fn uniques(def: &TableDef) -> Vec<Vec<&str>> {
    def.uniques.iter().map(|unique| unique.columns.iter().map(Name::as_str).collect()).collect()
}

#[test]
fn entities() {
    let found = tables(ENTITIES);
    let [(accounts, account), (bookings, booking)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((accounts.as_str(), bookings.as_str()), ("accounts", "bookings"));
    assert_eq!(account.primary_key, ["id"]);
    assert_eq!(uniques(account), [["email"]]);
    let columns: Vec<(&str, bool, bool)> =
        account.columns.iter().map(|column| (column.name.as_str(), column.nullable, column.generated)).collect();
    let wanted = [("id", false, true), ("email", false, false), ("amount", false, false), ("opened_at", true, false)];
    assert_eq!(columns, wanted);
    assert_eq!(booking.primary_key, ["account_id", "seat"]);
    let key = &booking.foreign_keys[0];
    assert_eq!(
        (key.columns[0].as_str(), key.table.as_str(), key.references[0].as_str()),
        ("account_id", "accounts", "id")
    );
}

#[test]
fn migrations() {
    let found = tables(
        r#"
        use sea_orm_migration::prelude::*;
        impl MigrationTrait for Migration {
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                manager.create_table(
                    Table::create().table(UserMails::Table).if_not_exists()
                        .col(ColumnDef::new(UserMails::Id).big_integer().not_null().auto_increment().primary_key())
                        .col(ColumnDef::new(UserMails::Address).string().not_null().unique_key())
                        .col(ColumnDef::new(UserMails::UserId).big_integer())
                        .index(Index::create().unique().col(UserMails::UserId).col(UserMails::Kind))
                        .foreign_key(ForeignKey::create().from(UserMails::Table, UserMails::UserId).to(Users::Table, Users::Id))
                        .to_owned(),
                ).await?;
                manager.create_table(
                    Table::create().table(Users::Table).col(pk_auto(Users::Id)).col(string_uniq(Users::Login)).col(string_null(Users::Nick)).to_owned(),
                ).await?;
                manager.create_index(Index::create().name("nick").table(Users::Table).col(Users::Nick).to_owned()).await?;
                manager.create_index(Index::create().name("one").unique().table(Users::Table).col(Users::Nick).to_owned()).await?;
                manager.alter_table(Table::alter().table(Users::Table).rename_column(Users::Nick, Alias::new("alias")).to_owned()).await?;
                manager.create_table(Table::create().table(Old::Table).col(pk_auto(Old::Id)).to_owned()).await?;
                manager.drop_table(Table::drop().table(Old::Table).to_owned()).await
            }
            async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                manager.drop_table(Table::drop().table(Users::Table).to_owned()).await
            }
        }
        #[derive(DeriveIden)]
        enum UserMails { Table, Id, Address, UserId, #[sea_orm(iden = "sort")] Kind }
        #[derive(Iden)]
        enum Users { #[iden = "people"] Table, Id, Login, Nick }
        #[derive(DeriveIden)]
        enum Old { Table, Id }
        "#,
    );
    let [(mails, mail), (people, person)] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((mails.as_str(), people.as_str()), ("user_mails", "people"));
    assert_eq!(mail.primary_key, ["id"]);
    assert_eq!(uniques(mail), [vec!["address"], vec!["user_id", "sort"]]);
    assert_eq!(mail.foreign_keys[0].table, "people");
    assert!(mail.columns[0].generated && !mail.columns[1].nullable && mail.columns[2].nullable);
    assert_eq!(person.primary_key, ["id"]);
    assert_eq!(uniques(person), [["login"], ["alias"]]);
}
