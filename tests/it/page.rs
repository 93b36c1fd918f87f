//! The operators' page: it binds only to loopback, renders in Russian without a script, shows what is late, and nothing personal.
//! It is looked at in a real browser.

use std::process::Command;

use mezhved::domain::CaseId;
use uuid::Uuid;

use crate::support::{Finished, eventually, run};
use crate::world::{Backend, Behaviour, RUNTIME, SOON, World, bodies, now};

#[test]
fn the_console_binds_only_to_loopback() {
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
    let page = RUNTIME.block_on(async { reqwest::get(world.gateway().console()).await.unwrap() });
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
    let html = RUNTIME.block_on(page.text()).unwrap();
    assert!(html.contains("<html lang=\"ru\">") && !html.contains("<script"), "{html}");
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

/// Runs a headless browser with a profile of its own in the world's folder.
fn chromium(world: &World, arguments: &[&str]) -> Finished {
    let profile = format!("--user-data-dir={}", world.file("chromium").display());
    let mut command = Command::new("chromium");
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.args(["--disable-background-networking", "--hide-scrollbars", &profile]).args(arguments);
    run(command.env("HOME", world.folder()))
}

#[test]
fn a_browser_shows_the_page() {
    let (world, _) = busy_world();
    let address = world.gateway().console().to_owned();
    let dom = chromium(&world, &["--dump-dom", &address]).done().stdout;
    let overdue = section_of(&dom, "h-overdue");
    assert!(overdue.contains("<tbody>") && overdue.contains("Участник register"), "{overdue}");
    assert!(!dom.contains("<script"), "{dom}");

    for (name, size) in [("wide.png", "1280,1000"), ("narrow.png", "400,900")] {
        let file = world.file(name);
        let (shot, window) = (format!("--screenshot={}", file.display()), format!("--window-size={size}"));
        chromium(&world, &[&shot, &window, &address]).done();
        let png = std::fs::read(&file).unwrap();
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "{name}");
        // An empty page of this size is a few kilobytes.
        assert!(png.len() > 20_000, "{name}: {} bytes", png.len());
    }
}
