//! What attackers try at the door.

use mezhved::domain::CaseId;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Backend, PASSWORD, Person, SOON, World, bodies, now};

#[test]
fn a_form_of_another_site_or_session_changes_nothing() {
    let world = World::on(Backend::Sqlite).start();
    let mut person = world.person("petrova", &["--role", "operator"]);
    let new = "зелёный чайник на крыше";
    let fields = [("present", PASSWORD), ("new", new), ("again", new)];
    assert_eq!(person.post_bare("/own/password", &fields).status, 403, "no token");
    let mut other = world.person("sidorova", &["--role", "operator"]);
    other.get("/own/password");
    assert_eq!(
        person.post_bare("/own/password", &[&fields[..], &[("csrf", other.csrf.as_str())]].concat()).status,
        403,
        "the token of another session"
    );
    person.get("/own/password");
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        person.headers = vec![(name, value.to_owned())];
        assert_eq!(person.post("/own/password", &fields).status, 403, "{name}: {value}");
    }
    person.headers = vec![("origin", person.address.clone()), ("sec-fetch-site", "same-origin".to_owned())];
    assert_eq!(person.post("/own/password", &fields).status, 303, "its own form is taken");
    // Signing somebody in as the attacker is a forgery too.
    let mut victim = Person::nobody(world.gateway().console());
    victim.get("/sign-in");
    let sign_in = [("login", "sidorova"), ("password", PASSWORD)];
    assert_eq!(victim.post_bare("/sign-in", &sign_in).status, 403);
    let foreign = [&sign_in[..], &[("csrf", other.csrf.as_str())]].concat();
    assert_eq!(victim.post_bare("/sign-in", &foreign).status, 403);
    assert!(!victim.cookies.contains_key("mezhved-session"));
}

#[test]
fn a_session_that_was_planted_is_not_the_one_that_begins() {
    let world = World::on(Backend::Sqlite).start();
    world.add_account("petrova", &["--role", "operator"]);
    let planted = "p".repeat(43);
    let mut person = Person::nobody(world.gateway().console());
    person.cookies.insert("mezhved-session".to_owned(), planted.clone());
    assert_eq!(person.sign_in("petrova", PASSWORD).status, 303);
    assert_ne!(person.cookies["mezhved-session"], planted);
    // Nor does the session before go on: an attacker's own one, say, that was planted.
    let before = person.clone();
    assert_eq!(person.post("/sign-in", &[("login", "petrova"), ("password", PASSWORD)]).status, 403, "a stale form");
    person.get("/own/password");
    assert_eq!(person.post("/sign-in", &[("login", "petrova"), ("password", PASSWORD)]).status, 303);
    assert_ne!(person.cookies["mezhved-session"], before.cookies["mezhved-session"]);
    let mut attacker = Person::nobody(world.gateway().console());
    attacker.cookies = before.cookies;
    assert_eq!(attacker.get("/").location, "/sign-in");
    attacker.cookies.insert("mezhved-session".to_owned(), planted);
    assert_eq!(attacker.get("/").location, "/sign-in");
    // Signing out ends it at the server, not in the browser only.
    let mut copy = person.clone();
    person.get("/");
    assert_eq!(person.post("/sign-out", &[]).location, "/sign-in");
    assert_eq!(copy.get("/").location, "/sign-in");
    for line in person.get("/sign-in").headers.get_all("set-cookie") {
        let line = line.to_str().unwrap();
        assert!(line.contains("HttpOnly") && line.contains("SameSite="), "{line}");
    }
}

#[test]
fn guessing_passwords_is_slowed_down_for_known_and_unknown_logins_alike() {
    let world = World::on(Backend::Sqlite).start();
    world.add_account("petrova", &["--role", "operator"]);
    for login in ["petrova", "nobody"] {
        let mut guesser = Person::nobody(world.gateway().console());
        let mut seen = Vec::new();
        for attempt in 0..7 {
            let page = guesser.sign_in(login, &format!("догадка номер {attempt}"));
            assert!(!page.text.contains("сеанс"), "nothing is told");
            seen.push(page.status);
        }
        assert_eq!(seen, [401, 401, 401, 401, 401, 429, 429], "{login}");
        let wait = guesser.sign_in(login, PASSWORD);
        assert_eq!(wait.status, 429, "{login}: even the right one has to wait");
        let seconds: u32 = wait.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=30).contains(&seconds), "{seconds}");
        assert!(!guesser.cookies.contains_key("mezhved-session"));
    }
    let subjects = world.number("SELECT COUNT(*) FROM sign_in_failures WHERE subject LIKE '%petrova%'");
    assert_eq!(subjects, 0, "what people type is not kept");
    // One address that tries many logins comes to its own limit.
    let mut sprayer = Person::nobody(world.gateway().console());
    let blocked = (0..40).find(|n| sprayer.sign_in(&format!("person{n}"), "лето 2026 года").status == 429);
    assert!(blocked.is_some_and(|n| n < 30), "{blocked:?}");
}

#[test]
fn nobody_is_sent_to_another_site() {
    let world = World::on(Backend::Sqlite).start();
    world.add_account("petrova", &["--role", "operator"]);
    for (back, to) in [
        ("/obligations?group=running", "/obligations?group=running"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let mut person = Person::nobody(world.gateway().console());
        person.get("/sign-in");
        let page = person.post("/sign-in", &[("login", "petrova"), ("password", PASSWORD), ("back", back)]);
        assert_eq!((page.status, page.location.as_str()), (303, to), "{back:?}");
    }
    let mut person = Person::nobody(world.gateway().console());
    let page = person.get("/obligations?group=done&rule=%22%3E%3Cscript%3E");
    assert!(page.location.starts_with("/sign-in?back=%2Fobligations%3F"), "{}", page.location);
    let shown = person.get(&page.location).text;
    assert!(!shown.contains("<script>"), "{shown}");
}

#[test]
fn an_agency_sees_its_own_part_only() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    let mut cases = Vec::new();
    for (kind, role) in [("medical-conclusion", "health"), ("guardianship-act", "guardianship")] {
        let case = CaseId::from_uuid(Uuid::now_v7());
        let mut draft = register.draft("register", "application", bodies::application(now(), &[(kind, role)]));
        draft.header.case_id = Some(case);
        world.post(register.sign(&draft)).receipt();
        let mut request = register.draft(role, "document-request", bodies::request(kind));
        request.header.case_id = Some(case);
        world.post(register.sign(&request)).receipt();
        cases.push(case.to_string());
    }
    eventually("both agencies owe an answer", SOON, || {
        let owed = world.listed(&["deadline", "list"]);
        ["health", "guardianship"].iter().all(|d| owed.iter().any(|o| o["debtor"] == *d)).then_some(())
    });
    let mut health = world.person("doctor", &["--role", "operator", "--participant", "health"]);
    let mut all = world.person("petrova", &["--role", "operator"]);
    for page in ["/", "/obligations?group=running", "/obligations?group=running&participant=guardianship"] {
        let (own, whole) = (health.get(page).text, all.get(page).text);
        assert!(whole.contains(&cases[1]), "{page}: whoever sees the whole sees it");
        assert!(!own.contains(&cases[1]) && !own.contains("Участник guardianship"), "{page}: {own}");
    }
    assert!(health.get("/obligations?group=running").text.contains(&cases[0]));
    let hers = format!("/obligations?group=running&case={}", cases[1]);
    assert!(!health.get(&hers).text.contains("<tbody>") && all.get(&hers).text.contains("<tbody>"));
    let elsewhere = world.person("far", &["--role", "operator", "--territory", "66"]).get("/obligations?group=running");
    assert!(!elsewhere.text.contains("<tbody>"), "another territory: {}", elsewhere.text);
    let here = world.person("near", &["--role", "operator", "--territory", "71"]).get("/obligations?group=running");
    assert!(here.text.contains(&cases[0]) && here.text.contains(&cases[1]), "{}", here.text);
}

#[test]
fn over_tls_the_session_belongs_to_this_host_and_to_tls_only() {
    let world = World::on(Backend::Sqlite)
        .setting("console.tls_certificate = \"keys/gateway.cert.pem\"\nconsole.tls_key = \"keys/gateway.key.pem\"")
        .start();
    assert!(world.gateway().console().starts_with("https://"), "{}", world.gateway().console());
    let mut person = world.person("petrova", &["--role", "operator"]);
    assert!(person.cookies.contains_key("__Host-mezhved"), "{:?}", person.cookies);
    let page = person.get("/?lang=en");
    assert_eq!(page.status, 200);
    assert!(page.headers.contains_key("strict-transport-security"));
    for line in page.headers.get_all("set-cookie") {
        assert!(line.to_str().unwrap().ends_with("; Secure"), "{line:?}");
    }
    assert_eq!(person.get("/metrics").status, 200, "on loopback the metrics stand beside");
}

#[test]
fn behind_a_proxy_there_are_no_metrics_and_its_address_is_nobodys() {
    let world = World::on(Backend::Sqlite).setting("console.public_url = \"https://mezhved.example.ru\"").start();
    let mut person = Person::nobody(world.gateway().console());
    assert_eq!(person.get("/metrics").status, 404);
    world.add_account("petrova", &["--role", "operator"]);
    for n in 0..30 {
        assert_eq!(
            person.sign_in(&format!("person{n}"), "лето 2026 года").status,
            401,
            "the proxy's address is not counted"
        );
    }
    person.headers = vec![("origin", "https://mezhved.example.ru".to_owned())];
    assert_eq!(person.sign_in("petrova", PASSWORD).status, 303);
    assert!(person.cookies.contains_key("__Host-mezhved"));
}

#[test]
fn an_open_page_does_not_keep_its_session_alive() {
    let world = World::on(Backend::Sqlite).setting("console.session_idle_minutes = 1").start();
    let mut person = world.person("petrova", &["--role", "operator"]);
    world.change("UPDATE sessions SET seen_at = seen_at - 50000000");
    person.headers = vec![("mezhved-live", "1".to_owned())];
    assert_eq!(person.get("/").status, 200);
    world.change("UPDATE sessions SET seen_at = seen_at - 15000000");
    assert_eq!(person.get("/").location, "/sign-in", "what the page asks for by itself does not count");
    person.headers.clear();
    person.sign_in("petrova", PASSWORD);
    world.change("UPDATE sessions SET expires_at = begun_at + 1 WHERE begun_at = (SELECT MAX(begun_at) FROM sessions)");
    assert_eq!(person.get("/").location, "/sign-in", "a session has its end, whatever happens in it");
}
