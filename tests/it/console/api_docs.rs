//! The commands that the page for scripts prints, run as they are printed.

use super::api::owed;
use crate::readme::{bash, commands};
use crate::world::{Backend, World};

/// All blocks of the page in one shell, against a gateway with something in it.
fn follow(page: &str, headings: [&str; 4]) {
    let world = World::on(Backend::Sqlite).start();
    let (_, id, _) = owed(&world);
    world.add_account("ivanova", &["--role", "operator"]);
    let blocks: Vec<String> = headings.iter().flat_map(|heading| commands(page, heading)).collect();
    assert_eq!(blocks.len(), 7, "{blocks:#?}");
    let script = blocks.join("\n");
    let script = script.replace("http://127.0.0.1:8081", world.gateway().console().trim_end_matches('/'));
    let script = script.replace("--config DIR", &format!("--config {}", world.folder().display()));
    let done = bash(world.folder(), &script).done();
    assert!(done.stdout.contains("\"login\":\"ivanova\""), "{done}");
    assert!(done.stdout.contains("\"document-request\",\"register\",\"guardianship\",\"delivered\""), "{done}");
    assert!(done.stdout.contains("\"reminded\":true") && done.stdout.contains(&id), "{done}");
    assert!(done.stdout.contains("\"code\":\"bad-query\",\"field\":\"debtr\""), "{done}");
    assert_eq!(world.number("SELECT COUNT(*) FROM obligation_acts WHERE kind = 'note'"), 1);
}

#[test]
fn the_english_page_for_scripts_works_as_printed() {
    follow("docs/scripts.en.md", ["## A token", "## Lists", "## Acts", "## Errors"]);
}

#[test]
fn the_russian_page_for_scripts_works_as_printed() {
    follow("docs/scripts.ru.md", ["## Токен", "## Списки", "## Действия", "## Ошибки"]);
}
