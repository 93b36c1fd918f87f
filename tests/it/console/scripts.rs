//! What others wrote is a text on every page: a name and a body that would be a script anywhere else.

use std::collections::{BTreeSet, VecDeque};

use mezhved::access::Role;
use mezhved::domain::CaseId;
use uuid::Uuid;

use crate::commands::edit;
use crate::support::eventually;
use crate::world::{Backend, SOON, World, bodies, now};

const SCRIPT: &str = "<script>alert(1)</script>";
/// The same as a page may show it.
const SHOWN: &str = "&#60;script&#62;alert(1)&#60;/script&#62;";
/// Pages on which the participant is called by its name.
const NAMED: [&str; 4] = ["/participants", "/participants/guardianship", "/queues", "/queues/guardianship"];
/// More pages than the world has; a page beyond it is an error.
const PAGES_MAX: usize = 400;

/// A path without what is asked of it, each id as `*`: pages of one kind are looked at once.
fn kind(link: &str) -> String {
    let path = link.split(['?', '#']).next().unwrap();
    let word = |part: &str| if Uuid::parse_str(part).is_ok() { "*".to_owned() } else { part.to_owned() };
    path.split('/').map(word).collect::<Vec<_>>().join("/")
}

#[test]
fn a_script_in_a_name_or_a_body_is_a_text_on_every_page() {
    let mut world = World::on(Backend::Sqlite).prepare();
    edit(&world.file("participants/guardianship.toml"), "Участник guardianship", SCRIPT);
    world.serve();
    let register = world.agency("register");
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    world.until(request.header.message_id, "delivered");
    let late = now().plus_seconds(-20 * 86_400);
    let body = bodies::application(late, &[("guardianship-act", "guardianship")]);
    let body = bodies::replaced(&body, "живёт один", "&lt;script&gt;alert(1)&lt;/script&gt;");
    let mut application = register.draft("register", "application", body);
    application.header.case_id = Some(CaseId::from_uuid(Uuid::now_v7()));
    world.post(register.sign(&application)).receipt();
    eventually("the overdue obligation", SOON, || {
        (!world.listed(&["deadline", "list", "--overdue"]).is_empty()).then_some(())
    });

    let roles: Vec<&str> = Role::ALL.iter().flat_map(|role| ["--role", role.as_str()]).collect();
    let mut person = world.person("yakovleva", &roles);
    let (mut seen, mut named) = (BTreeSet::new(), BTreeSet::new());
    let mut ahead = VecDeque::from(NAMED.map(str::to_owned));
    ahead.push_front("/".to_owned());
    while let Some(path) = ahead.pop_front() {
        if !seen.insert(kind(&path)) {
            continue;
        }
        assert!(seen.len() < PAGES_MAX, "{seen:#?}");
        let page = person.get(&path);
        assert!([200, 303].contains(&page.status), "{path}: {}", page.status);
        let is_page = page.headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        assert!(!is_page || !page.text.contains("<script>alert"), "{path}: {}", page.text);
        if page.text.contains(SHOWN) {
            named.insert(kind(&path));
        }
        let links = page.text.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next());
        ahead.extend(links.map(|link| format!("/{}", link.replace("&#38;", "&").replace("&amp;", "&"))));
    }
    for path in NAMED {
        assert!(named.contains(path), "{path} does not show the name: {named:?}");
    }
    for path in ["/obligations/*", "/messages/*", "/conversations/*", "/cases/*", "/journal", "/reports", "/accounts"] {
        assert!(seen.contains(path), "no link leads to {path}: {seen:?}");
    }
}

#[test]
fn the_count_of_a_term_is_shown_over_a_picture_of_its_days() {
    let world = World::on(Backend::Sqlite).start();
    let mut admin = world.person("admin", &["--role", "administrator"]);
    assert!(!admin.get("/regulations").text.contains("class=\"days\""), "nothing was asked yet");
    let asked = "/regulations?term=3+working+days&from=2026-05-07&roll=forward";
    let page = admin.get(asked).text;
    // 8 May is a working day; 9 to 11 May are not.
    for cell in ["class=\"start\"", "class=\"count\"", "class=\"skip\"", "class=\"end\"", "Май"] {
        assert!(page.to_lowercase().contains(&cell.to_lowercase()), "no {cell}: {page}");
    }
    assert!(page.contains("2026-05-13"), "{page}");
    let wrong = admin.get("/regulations?term=3+lunar+days&from=2026-05-07").text;
    assert!(wrong.contains("role=\"alert\"") && !wrong.contains("class=\"days\""), "{wrong}");
}
