//! `mezhved account`, and what it does to people who are signed in.

use crate::world::{Backend, PASSWORD, Person, World};

#[test]
fn the_first_account_is_made_on_the_command_line_on_sqlite() {
    first_account(Backend::Sqlite);
}

#[test]
fn the_first_account_is_made_on_the_command_line_on_postgresql() {
    first_account(Backend::Postgres);
}

fn first_account(backend: Backend) {
    let world = World::on(backend).start();
    let mut person = Person::nobody(world.gateway().console());
    for (login, password) in [("admin", "admin"), ("admin", ""), ("demo", "demo"), ("administrator", "administrator")] {
        assert_eq!(person.sign_in(login, password).status, 401, "there is no account by default");
    }
    let add = ["account", "add", "admin", "--name", "Иванова Мария", "--role", "administrator"];
    let weak = world.mezhved_told(&add, "qwertyqwerty");
    assert_eq!(weak.status, Some(1), "{weak}");
    assert!(weak.stderr.contains("самых частых"), "{weak}");
    world.mezhved_told(&add, PASSWORD).done();
    let again = world.mezhved_told(&add, PASSWORD);
    assert!(again.status == Some(1) && again.stderr.contains("занят"), "{again}");
    let listed = world.listed(&["account", "list"]);
    assert_eq!((&listed[0]["login"], &listed[0]["roles"][0]), (&"admin".into(), &"administrator".into()), "{listed:?}");
    assert_eq!(person.sign_in("Admin ", PASSWORD).status, 303, "letters' case and blanks do not count in a login");
    assert_eq!(person.get("/").status, 200);

    world.mezhved(&["account", "disable", "admin"]).done();
    assert_eq!(person.get("/").location, "/sign-in", "a session of a shut account has ended");
    assert_eq!(person.sign_in("admin", PASSWORD).status, 401);
    world.mezhved(&["account", "enable", "admin"]).done();
    assert_eq!(person.sign_in("admin", PASSWORD).status, 303);

    let other = "зелёный чайник на крыше";
    world.mezhved_told(&["account", "password", "admin", "--must-change"], other).done();
    assert_eq!(person.get("/").location, "/sign-in", "all sessions end with the password");
    assert_eq!(person.sign_in("admin", PASSWORD).status, 401);
    assert_eq!(person.sign_in("admin", other).status, 303);
    assert_eq!(person.get("/").location, "/own/password", "a password that somebody else knows is changed first");
    person.get("/own/password");
    let change = |person: &mut Person, present: &str, new: &str, again: &str| {
        person.post("/own/password", &[("present", present), ("new", new), ("again", again)])
    };
    let mut second = Person::nobody(world.gateway().console());
    assert_eq!(second.sign_in("admin", other).status, 303);
    second.get("/own/password");
    for (present, new, again, says) in [
        ("не тот", PASSWORD, PASSWORD, "Нынешний пароль неверен"),
        (other, PASSWORD, other, "не совпали"),
        (other, "коротко", "коротко", "слишком короткий"),
    ] {
        let refused = change(&mut second, present, new, again);
        assert!(refused.text.contains(says), "{}", refused.text);
    }
    let kept = person.cookies.clone();
    assert_eq!(change(&mut second, other, PASSWORD, PASSWORD).location, "/");
    assert_eq!(second.get("/").status, 200, "the session in which it was changed goes on");
    person.cookies = kept;
    assert_eq!(person.get("/").location, "/sign-in", "the others have ended");

    let journal = world.mezhved(&["journal", "export"]).done().stdout;
    for kind in
        ["account-added", "account-disabled", "account-enabled", "account-password-set", "signed-in", "sign-in-refused"]
    {
        assert!(journal.contains(&format!("\"kind\":\"{kind}\"")), "no {kind}");
    }
    for secret in [PASSWORD, other, "Иванова", "argon2"] {
        assert!(!journal.contains(secret), "the journal holds {secret}");
        assert!(!world.gateway().log().contains(secret), "the log holds {secret}");
    }
}

#[test]
fn sessions_and_rights_are_taken_away_at_once() {
    let world = World::on(Backend::Sqlite).start();
    let mut person = world.person("petrova", &["--role", "operator"]);
    assert_eq!(person.get("/obligations").status, 200);
    world.mezhved(&["account", "roles", "petrova", "--role", "security-officer"]).done();
    assert_eq!(person.get("/obligations").status, 403);
    assert_eq!(world.listed(&["account", "sessions", "petrova"]).len(), 1);
    world.mezhved(&["account", "sessions", "petrova", "--end"]).done();
    assert_eq!(person.get("/").location, "/sign-in");
    assert!(world.listed(&["account", "sessions", "petrova"]).is_empty());
    let nobody = world.mezhved(&["account", "disable", "nobody"]);
    assert!(nobody.status == Some(1) && nobody.stderr.contains("account list"), "{nobody}");
}
