//! «Пользователи» and «Мой доступ»: links, rights, tokens, and who may not.

use crate::world::{Backend, PASSWORD, Person, World};

/// The address of an account's card, found in the list.
fn card_of(admin: &mut Person, login: &str) -> String {
    let list = admin.get("/accounts").text;
    let before = list.split(&format!("\">{login}</a>")).next().unwrap();
    before.rsplit("href=\"").next().unwrap().to_owned()
}

#[test]
fn an_administrator_adds_somebody_who_sets_a_password_by_a_link() {
    let world = World::on(Backend::Sqlite).start();
    let mut admin = world.person("admin", &["--role", "administrator"]);
    admin.get("/accounts/new");
    let wrong = admin.post("/accounts/new", &[("login", "Ё"), ("name", ""), ("territories", "7x")]).text;
    for says in ["латинских строчных", "Нужно имя", "хотя бы одну роль", "от 2 до 11 цифр"]
    {
        assert!(wrong.contains(says), "no {says}: {wrong}");
    }
    let script = "<script>alert(1)</script>";
    let new = [("login", "petrova"), ("name", script), ("role", "operator"), ("participant", "health")];
    let made = admin.post("/accounts/new", &new).text;
    let link = made.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
    let path = link.strip_prefix(&admin.address).unwrap_or_else(|| panic!("{link}")).to_owned();
    assert!(admin.post("/accounts/new", &new).text.contains("Такой логин уже есть"));

    let mut petrova = Person::nobody(world.gateway().console());
    assert_eq!(petrova.sign_in("petrova", PASSWORD).status, 401, "there is no password yet");
    // By the link at once, without any page before.
    let mut petrova = Person::nobody(world.gateway().console());
    assert!(petrova.get(&path).text.contains("petrova"));
    assert!(petrova.post(&path, &[("new", "короткий"), ("again", "короткий")]).text.contains("слишком короткий"));
    assert_eq!(petrova.post(&path, &[("new", PASSWORD), ("again", PASSWORD)]).location, "/sign-in");
    assert_eq!(petrova.get(&path).status, 404, "a link is good once");
    assert_eq!(petrova.sign_in("petrova", PASSWORD).location, "/");
    assert_eq!(petrova.get("/obligations").status, 200);

    // What somebody is called is a text, on every page.
    let card = card_of(&mut admin, "petrova");
    for page in ["/accounts", card.as_str()] {
        let shown = admin.get(page).text;
        assert!(!shown.contains(script) && shown.contains("&#60;script&#62;"), "{shown}");
    }
    assert!(!petrova.get("/own").text.contains(script));

    // Rights change at once; a name that is no name changes nothing.
    let refused = admin.post(&card, &[("name", ""), ("role", "auditor")]).text;
    assert!(refused.contains("Нужно имя"), "{refused}");
    assert_eq!(petrova.get("/obligations").status, 200);
    let saved = admin.post(&card, &[("name", "Петрова"), ("role", "security-officer")]);
    assert_eq!((saved.status, saved.location.as_str()), (303, card.as_str()));
    let shown = admin.get(&card).text;
    assert!(shown.contains("Сохранено") && shown.contains("сотрудник безопасности"), "{shown}");
    assert!(!admin.get(&card).text.contains("Сохранено"), "a notice is shown once");
    assert_eq!((petrova.get("/obligations").status, petrova.get("/journal").status), (403, 200));

    // Signing out from afar, shutting after a question, opening again.
    assert_eq!(admin.post(&format!("{card}/sign-out"), &[]).status, 303);
    assert_eq!(petrova.get("/").location, "/sign-in");
    petrova.sign_in("petrova", PASSWORD);
    let ask = admin.get(&format!("{card}/disable")).text;
    assert!(ask.contains("Закрыть учётную запись?") && ask.contains(&format!("href=\"{card}\"")), "{ask}");
    assert_eq!(petrova.get("/").status, 200, "asking is not doing");
    admin.post(&format!("{card}/disable"), &[]);
    assert_eq!(petrova.get("/").location, "/sign-in");
    assert_eq!(petrova.sign_in("petrova", PASSWORD).status, 401);
    admin.post(&format!("{card}/enable"), &[]);
    assert_eq!(petrova.sign_in("petrova", PASSWORD).status, 303);
}

#[test]
fn nobody_changes_the_own_rights() {
    let world = World::on(Backend::Sqlite).start();
    let mut admin = world.person("admin", &["--role", "administrator"]);
    let card = card_of(&mut admin, "admin");
    let shown = admin.get(&card).text;
    assert!(!shown.contains(&format!("action=\"{card}\"")), "{shown}");
    for (path, fields) in [
        (card.clone(), &[("name", "Я"), ("role", "operator"), ("role", "administrator")][..]),
        (format!("{card}/disable"), &[]),
        (format!("{card}/link"), &[]),
    ] {
        assert_eq!(admin.post(&path, fields).status, 403, "{path}");
    }
    assert_eq!(admin.get("/accounts").status, 200);
    assert_eq!(admin.get("/accounts/01a22008-7f45-7525-8e8a-a82c5729c8d9").status, 404);
    assert_eq!(admin.get("/accounts/..%2f..%2fetc").status, 404);
}

#[test]
fn a_token_does_what_was_chosen_until_it_is_revoked() {
    let world = World::on(Backend::Sqlite).start();
    let mut person = world.person("petrova", &["--role", "operator"]);
    person.get("/own");
    let wrong = person.post("/own/tokens", &[("title", ""), ("days", "0"), ("right", "see-journal")]).text;
    for says in ["для чего он", "от 1 до 366", "хотя бы одно право"] {
        assert!(wrong.contains(says), "no {says}: {wrong}");
    }
    let wish =
        [("title", "отчёт по ночам"), ("days", "30"), ("right", "see-obligations"), ("right", "manage-accounts")];
    let made = person.post("/own/tokens", &wish).text;
    let token = made.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(token.starts_with("mzv_"), "{token}");
    let mut script = Person::nobody(world.gateway().console());
    script.headers = vec![("authorization", format!("Bearer {token}"))];
    for (path, status) in [("/obligations", 200), ("/", 403), ("/accounts", 403), ("/own", 403), ("/journal", 403)] {
        assert_eq!(script.get(path).status, status, "{path}");
    }
    assert_eq!(script.post_bare("/own/tokens", &wish).status, 403, "a token makes no token");
    script.headers = vec![("authorization", format!("Bearer {token}x"))];
    assert_eq!(script.get("/obligations").status, 303);
    script.headers = vec![("authorization", format!("Bearer {token}"))];

    let own = person.get("/own").text;
    assert!(own.contains("отчёт по ночам") && !own.contains(&token), "{own}");
    let id = own.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut other = world.person("sidorova", &["--role", "operator"]);
    other.get("/own");
    assert_eq!(other.post("/own/tokens/revoke", &[("token", id)]).status, 404, "another's token");
    assert_eq!(script.get("/obligations").status, 200);
    assert_eq!(person.post("/own/tokens/revoke", &[("token", id)]).status, 303);
    assert_eq!(script.get("/obligations").status, 303, "a revoked token opens nothing");

    // By the command line, and with the account's rights of today.
    let made =
        world.mezhved(&["account", "token", "add", "petrova", "--title", "x", "--right", "see-queues", "--days", "1"]);
    assert!(made.done().stdout.starts_with("mzv_"));
    let refused =
        world.mezhved(&["account", "token", "add", "petrova", "--title", "x", "--right", "see-journal", "--days", "1"]);
    assert!(refused.status == Some(1) && refused.stderr.contains("see-journal"), "{refused}");
    let rows = world.listed(&["account", "token", "list", "petrova"]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    let journal = world.mezhved(&["journal", "export"]).done().stdout;
    assert!(journal.contains("token-made") && journal.contains("token-revoked") && !journal.contains(&token));
}

#[test]
fn one_ends_ones_own_sessions() {
    let world = World::on(Backend::Sqlite).start();
    let mut here = world.person("petrova", &["--role", "operator"]);
    let mut there = Person::nobody(world.gateway().console());
    there.sign_in("petrova", PASSWORD);
    let own = here.get("/own").text;
    assert!(own.contains("этот"), "{own}");
    let session = own.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut other = world.person("sidorova", &["--role", "operator"]);
    other.get("/own");
    other.post("/own/sessions", &[("session", session)]);
    assert_eq!(there.get("/").status, 200, "another's session stays");
    here.post("/own/sessions", &[("session", session)]);
    assert_eq!(there.get("/").location, "/sign-in");
    there.sign_in("petrova", PASSWORD);
    here.get("/own");
    here.post("/own/sessions/others", &[]);
    assert_eq!((there.get("/").location.as_str(), here.get("/").status), ("/sign-in", 200));
}
