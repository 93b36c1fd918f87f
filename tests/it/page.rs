//! The first page: what is late, in Russian, and nothing personal; where the console may listen.

use mezhved::domain::CaseId;
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Backend, Behaviour, SOON, World, bodies, now};

#[test]
fn the_console_binds_elsewhere_only_with_tls() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8081"] {
        let world = World::on(Backend::Sqlite).prepare();
        let settings = std::fs::read_to_string(world.file("settings.toml")).unwrap();
        let open =
            bodies::replaced(&settings, "console.listen = \"127.0.0.1:0\"", &format!("console.listen = \"{listen}\""));
        std::fs::write(world.file("settings.toml"), open).unwrap();
        for command in [&["serve"][..], &["config", "check"]] {
            let refused = world.mezhved(command);
            assert_eq!(refused.status, Some(1), "{refused}");
            assert!(refused.stderr.contains("console.listen") && refused.stderr.contains("settings.toml"), "{refused}");
        }
        assert!(!world.file("data").exists(), "nothing was opened");
    }
}

/// A world with something overdue, something due, something stuck and an application with nothing to ask.
fn busy_world() -> (World, CaseId) {
    let world = World::on(Backend::Sqlite).setting("delivery.attempts_max = 1").start();
    let register = world.agency("register");
    let application = |registered_at, documents: &[(&str, &str)]| {
        let mut draft = register.draft("register", "application", bodies::application(registered_at, documents));
        draft.header.case_id = Some(CaseId::from_uuid(Uuid::now_v7()));
        world.post(register.sign(&draft)).receipt();
        draft.header.case_id.unwrap()
    };
    application(now().plus_seconds(-20 * 86_400), &[("medical-conclusion", "health")]);
    application(now(), &[("guardianship-act", "guardianship")]);
    let quiet = application(now(), &[]);
    world.partner("guardianship").behave(Behaviour::Status(500));
    let request = register.draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(register.sign(&request)).receipt();
    world.until(request.header.message_id, "parked");
    eventually("the overdue obligation", SOON, || {
        (!world.listed(&["deadline", "list", "--overdue"]).is_empty()).then_some(())
    });
    (world, quiet)
}

#[test]
fn the_page_shows_what_is_late_in_russian_and_nothing_personal() {
    let (world, quiet) = busy_world();
    let quiet = quiet.to_string();
    let page = world.person("petrova", &["--role", "operator"]).get("/");
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = page.text;
    assert!(html.contains("<html lang=\"ru\"") && !html.contains("style=") && !html.contains("onclick"), "{html}");
    for (section, shown) in [
        ("h-overdue", &["Участник register", "Межведомственный запрос документов"][..]),
        ("h-soon", &["Участник register", "Межведомственный запрос документов"]),
        ("h-stuck", &["Участник guardianship", "отложено", "попытки исчерпаны"]),
        ("h-quiet", &[quiet.as_str()]),
    ] {
        let part = section_of(&html, section);
        for text in shown {
            assert!(part.contains(text), "no `{text}` in {section}: {part}");
        }
    }
    assert!(html.contains("<b>1</b> просрочено") && html.contains("<b>1</b> не вручено"), "{html}");
    assert!(!section_of(&html, "h-overdue").contains(&quiet), "each in its own group");
    let personal = bodies::PERSONAL.iter().find(|personal| html.contains(**personal));
    assert_eq!(personal, None);
    assert!(!html.contains("статья 28") && !html.contains("живёт один"), "no other text of a body");
}

fn section_of<'h>(html: &'h str, id: &str) -> &'h str {
    let part = html.split(&format!("id=\"{id}\"")).nth(1).unwrap_or_else(|| panic!("no {id}: {html}"));
    part.split("</section>").next().unwrap()
}
