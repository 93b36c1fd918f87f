//! Every route is asked by somebody who may not, and the table of routes knows no route that this test has no case for.

use std::collections::BTreeMap;

use mezhved::access::{Right, Role};
use mezhved::console::{Access, table};

use crate::world::{Backend, Person, World};

/// Every route, and who may: `open`, `signed`, or the right's word. A new route gets its line here, by somebody who has thought of it.
const CASES: &[(&str, &str, &str)] = &[
    ("GET", "/static/console.css", "open"),
    ("GET", "/static/console.js", "open"),
    ("GET", "/static/icon.svg", "open"),
    ("GET", "/sign-in", "open"),
    ("POST", "/sign-in", "open"),
    ("POST", "/sign-out", "signed"),
    ("GET", "/password/{link}", "open"),
    ("POST", "/password/{link}", "open"),
    ("GET", "/", "see-overview"),
    ("GET", "/obligations", "see-obligations"),
    ("GET", "/obligations/{id}", "see-obligations"),
    ("POST", "/obligations/remind", "act-on-obligations"),
    ("POST", "/obligations/{id}/outside", "act-on-obligations"),
    ("POST", "/obligations/{id}/waive", "act-on-obligations"),
    ("POST", "/obligations/{id}/extend", "act-on-obligations"),
    ("POST", "/obligations/{id}/note", "act-on-obligations"),
    ("GET", "/messages", "see-messages"),
    ("GET", "/messages/{id}", "see-messages"),
    ("POST", "/messages/{id}/body", "see-personal-data"),
    ("POST", "/messages/{id}/envelope", "see-personal-data"),
    ("GET", "/conversations/{id}", "see-messages"),
    ("GET", "/queues", "see-queues"),
    ("GET", "/queues/{id}", "see-queues"),
    ("POST", "/queues/{id}", "act-on-queues"),
    ("GET", "/dead", "see-queues"),
    ("GET", "/dead/{id}", "see-queues"),
    ("POST", "/dead", "act-on-queues"),
    ("GET", "/participants", "see-configuration"),
    ("GET", "/participants/{id}", "see-configuration"),
    ("GET", "/participants/{id}/revisions/{number}", "see-configuration"),
    ("GET", "/participants/{id}/pings/{ping}", "see-configuration"),
    ("GET", "/participants/new", "configure-participants"),
    ("POST", "/participants/new", "configure-participants"),
    ("GET", "/participants/{id}/edit", "configure-participants"),
    ("POST", "/participants/{id}/edit", "configure-participants"),
    ("POST", "/participants/{id}/certificates", "configure-participants"),
    ("POST", "/participants/{id}/certificates/end", "configure-participants"),
    ("POST", "/participants/{id}/undo", "configure-participants"),
    ("POST", "/participants/{id}/ping", "configure-participants"),
    ("GET", "/regulations", "see-configuration"),
    ("GET", "/calendar", "see-configuration"),
    ("GET", "/adapters", "see-configuration"),
    ("GET", "/adapters/{name}", "see-configuration"),
    ("POST", "/adapters/{name}/preview", "see-configuration"),
    ("GET", "/journal", "see-journal"),
    ("GET", "/journal.csv", "export-journal"),
    ("GET", "/accounts", "see-accounts"),
    ("GET", "/accounts/new", "manage-accounts"),
    ("POST", "/accounts/new", "manage-accounts"),
    ("GET", "/accounts/{id}", "see-accounts"),
    ("POST", "/accounts/{id}", "manage-accounts"),
    ("POST", "/accounts/{id}/link", "manage-accounts"),
    ("GET", "/accounts/{id}/disable", "manage-accounts"),
    ("POST", "/accounts/{id}/disable", "manage-accounts"),
    ("POST", "/accounts/{id}/enable", "manage-accounts"),
    ("POST", "/accounts/{id}/sign-out", "manage-accounts"),
    ("POST", "/accounts/{id}/revoke", "manage-accounts"),
    ("GET", "/own", "own-access"),
    ("POST", "/own/sessions", "own-access"),
    ("POST", "/own/sessions/others", "own-access"),
    ("POST", "/own/tokens", "own-access"),
    ("POST", "/own/tokens/revoke", "own-access"),
    ("GET", "/events", "signed"),
    ("GET", "/cases", "see-cases"),
    ("GET", "/cases/{id}", "see-cases"),
    ("GET", "/reports", "see-reports"),
    ("GET", "/reports/file", "see-reports"),
    ("POST", "/reports/personal", "see-personal-data"),
    ("GET", "/own/password", "own-access"),
    ("POST", "/own/password", "own-access"),
    ("GET", "/api/v1/openapi.json", "open"),
    ("GET", "/api/v1/access", "signed"),
    ("GET", "/api/v1/obligations", "see-obligations"),
    ("GET", "/api/v1/obligations/{id}", "see-obligations"),
    ("POST", "/api/v1/obligations/{id}/remind", "act-on-obligations"),
    ("POST", "/api/v1/obligations/{id}/note", "act-on-obligations"),
    ("POST", "/api/v1/obligations/{id}/fulfil", "act-on-obligations"),
    ("POST", "/api/v1/obligations/{id}/waive", "act-on-obligations"),
    ("POST", "/api/v1/obligations/{id}/extend", "act-on-obligations"),
    ("GET", "/api/v1/messages", "see-messages"),
    ("GET", "/api/v1/messages/{id}", "see-messages"),
    ("POST", "/api/v1/messages/{id}/body", "see-personal-data"),
    ("POST", "/api/v1/messages/{id}/envelope", "see-personal-data"),
    ("GET", "/api/v1/conversations/{id}", "see-messages"),
    ("GET", "/api/v1/queues", "see-queues"),
    ("GET", "/api/v1/queues/{id}", "see-queues"),
    ("POST", "/api/v1/queues/{id}/pause", "act-on-queues"),
    ("POST", "/api/v1/queues/{id}/resume", "act-on-queues"),
    ("POST", "/api/v1/queues/{id}/stop", "act-on-queues"),
    ("GET", "/api/v1/dead", "see-queues"),
    ("GET", "/api/v1/dead/{id}", "see-queues"),
    ("POST", "/api/v1/dead/{id}/replay", "act-on-queues"),
    ("POST", "/api/v1/dead/{id}/discard", "act-on-queues"),
    ("GET", "/api/v1/participants", "see-configuration"),
    ("GET", "/api/v1/participants/{id}", "see-configuration"),
    ("GET", "/api/v1/reports", "see-reports"),
    ("GET", "/api/v1/reports/{report}", "see-reports"),
    ("GET", "/api/v1/journal", "see-journal"),
];

#[test]
fn every_route_has_a_case_that_says_who_may() {
    let expected: BTreeMap<(&str, &str), &str> =
        CASES.iter().map(|(method, path, who)| ((*method, *path), *who)).collect();
    assert_eq!(expected.len(), CASES.len(), "a route has two cases");
    let table = table();
    let mut found = BTreeMap::new();
    for route in &table {
        let who = match route.access {
            Access::Open => "open",
            Access::Signed => "signed",
            Access::Right(right) => right.as_str(),
        };
        found.insert((route.method.as_str(), route.path), who);
    }
    assert_eq!(found.len(), table.len(), "a route stands twice in the table");
    assert_eq!(found, expected, "the table of routes and the cases of this test differ");
    let changing = table.iter().filter(|r| r.method != "GET" && r.access == Access::Open);
    let changing: Vec<&str> = changing.map(|r| r.path).collect();
    assert_eq!(changing, ["/sign-in", "/password/{link}"], "what anybody may change");
}

/// Asks a route with some value for its parameters.
fn ask(person: &mut Person, method: &str, path: &str) -> u16 {
    let mut filled = String::new();
    for part in path.split_inclusive('/') {
        let parameter = part.starts_with('{');
        filled.push_str(if parameter { "01a22008-7f45-7525-8e8a-a82c5729c8d9" } else { part });
        if parameter && part.ends_with('/') {
            filled.push('/');
        }
    }
    if method == "GET" { person.get(&filled).status } else { person.post(&filled, &[]).status }
}

#[test]
fn who_has_not_the_right_is_refused_on_every_route() {
    let world = World::on(Backend::Sqlite).start();
    let mut nobody = Person::nobody(world.gateway().console());
    let mut by_role: BTreeMap<Role, Person> = BTreeMap::new();
    for role in Role::ALL {
        let mut person = world.person(role.as_str(), &["--role", role.as_str()]);
        // A page with a form, for its token.
        person.get("/own/password");
        by_role.insert(*role, person);
    }
    for (method, path, who) in CASES {
        let anonymous = ask(&mut nobody, method, path);
        if *who == "open" {
            continue;
        }
        // To the page for signing in; a script is told.
        let shut = if path.starts_with("/api/") { 401 } else { 303 };
        assert_eq!(anonymous, shut, "{method} {path} by nobody");
        let Some(right) = Right::parse(who) else { continue };
        for (role, person) in &mut by_role {
            if !role.rights().contains(&right) {
                assert_eq!(ask(person, method, path), 403, "{method} {path} by {role}");
            } else if *method == "GET" {
                assert_ne!(ask(person, method, path), 403, "{method} {path} by {role}");
            }
        }
    }
    // A part of the region has no right over the whole, whatever the roles say.
    let mut part = world.person("part", &["--role", "administrator", "--participant", "health"]);
    part.get("/own/password");
    for (method, path, who) in CASES {
        if Right::parse(who).is_some_and(Right::needs_the_whole) {
            assert_eq!(ask(&mut part, method, path), 403, "{method} {path} by a part");
        }
    }
}
