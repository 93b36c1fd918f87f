//! «Журнал»: filters, pages by key, and the table that is taken away.

use crate::world::{Backend, PASSWORD, World};

#[test]
fn the_journal_is_narrowed_paged_and_taken_away_on_sqlite() {
    journal(Backend::Sqlite);
}

#[test]
fn the_journal_is_narrowed_paged_and_taken_away_on_postgresql() {
    journal(Backend::Postgres);
}

fn rows(page: &str) -> usize {
    page.split("<tbody>").nth(1).map_or(0, |body| body.matches("<tr>").count())
}

fn journal(backend: Backend) {
    let world = World::on(backend).start();
    let mut officer = world.person("officer", &["--role", "security-officer"]);
    let all = officer.get("/journal").text;
    assert!(all.contains("учётная запись заведена") && all.contains("вход"), "{all}");
    for (filter, some) in [
        ("kind=account-added", true),
        ("kind=signed-in&actor=officer", true),
        ("actor=command-line", true),
        ("kind=message-accepted", false),
        ("actor=nobody-at-all", false),
        ("participant=health", false),
        ("from=2020-01-01", true),
        ("to=2020-01-01", false),
    ] {
        assert_eq!(rows(&officer.get(&format!("/journal?{filter}")).text) > 0, some, "{filter}");
    }
    assert!(officer.get("/journal?from=x").text.contains("Не удалось прочитать отбор"));
    assert!(officer.get("/journal?kind=account-added&actor=officer").text.contains("Таких записей нет"));

    // More than a page: the second one goes on where the first has ended.
    let mut admin = world.person("admin", &["--role", "administrator"]);
    let id = world.listed(&["account", "list"])[1]["id"].as_str().unwrap().to_owned();
    admin.get("/own");
    for _ in 0..52 {
        for what in ["disable", "enable"] {
            assert_eq!(admin.post(&format!("/accounts/{id}/{what}"), &[]).status, 303);
        }
    }
    officer.sign_in("officer", PASSWORD);
    let first = officer.get("/journal?actor=admin").text;
    assert_eq!(rows(&first), 100);
    let next = first.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    assert!(next.contains("actor=admin"), "{next}");
    let second = officer.get(&next).text;
    assert!((1..100).contains(&rows(&second)), "{second}");

    let table = officer.get("/journal.csv?actor=admin");
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    assert!(table.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let lines: Vec<&str> = table.text.trim_start_matches('\u{feff}').lines().collect();
    assert_eq!(lines[0], "number;at;kind;actor;participant;record;delivery;obligation;detail");
    assert_eq!(lines.len(), 1 + rows(&first) + rows(&second));
    assert!(!table.text.lines().any(|line| line.split(';').any(|cell| cell.starts_with(['=', '+', '@']))));
    let taken = officer.get("/journal?kind=journal-exported").text;
    assert_eq!(rows(&taken), 1, "that it was taken is written down");
}
