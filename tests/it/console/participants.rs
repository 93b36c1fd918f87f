//! Participants in the console: added, changed with an error at its field, tried, and brought back.

use crate::support::eventually;
use crate::world::{Backend, Behaviour, Person, SOON, World};

/// The form of a page as it would be sent, with these fields changed.
fn filled<'f>(page: &'f str, changes: &[(&'f str, &'f str)]) -> Vec<(String, String)> {
    let unescape =
        |text: &str| text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&").replace("&quot;", "\"");
    let mut fields = Vec::new();
    let form = page.split("enctype=\"multipart/form-data\"").nth(1).unwrap().split("</form>").next().unwrap();
    for tag in form.split('<') {
        let attribute =
            |name: &str| tag.split(&format!(" {name}=\"")).nth(1).map(|rest| rest.split('"').next().unwrap());
        let Some(name) = attribute("name") else { continue };
        let value = match tag.starts_with("textarea") {
            true => tag.split_once('>').map_or("", |(_, text)| text),
            false => attribute("value").unwrap_or_default(),
        };
        fields.push((name.to_owned(), unescape(value)));
    }
    for (name, value) in changes {
        match fields.iter_mut().find(|(own, _)| own == name) {
            Some(field) => field.1 = (*value).to_owned(),
            None => fields.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    fields
}

fn send(person: &mut Person, path: &str, fields: &[(String, String)]) -> crate::world::Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    person.post_bare(path, &fields)
}

#[test]
fn a_participant_is_changed_broken_seen_and_undone() {
    let world = World::on(Backend::Sqlite).start();
    let mut person = world.person("petrova", &["--role", "administrator"]);
    let list = person.get("/participants");
    assert!(list.text.contains("Участник health") && list.text.contains("/participants/new"), "{}", list.text);
    let card = person.get("/participants/health");
    assert!(card.text.contains("SHA-256") && card.text.contains("document-response"), "{}", card.text);

    // A mistake is shown at its field, and what was typed stays.
    let edit = person.get("/participants/health/edit");
    let wrong = send(
        &mut person,
        "/participants/health/edit",
        &filled(&edit.text, &[("zone", "Asia/Surgut"), ("name", "Минздрав")]),
    );
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    assert!(wrong.text.contains("не часовой пояс") && wrong.text.contains("value=\"Минздрав\""), "{}", wrong.text);

    // The way breaks; trying it says where.
    let gone = [("transport.url", "http://127.0.0.1:1/inbox"), ("comment", "Переезд")];
    let saved = send(&mut person, "/participants/health/edit", &filled(&edit.text, &gone));
    assert_eq!((saved.status, saved.location.as_str()), (303, "/participants/health"), "{}", saved.text);
    eventually("the new revision", SOON, || {
        person.get("/participants/health").text.contains("127.0.0.1:1/inbox").then_some(())
    });
    eventually("the gateway by the new revision", SOON, || {
        let ready = crate::world::RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap().json();
        (ready["revisions"]["participants"] == 2).then_some(())
    });
    let outcome = |person: &mut Person| {
        person.get("/participants/health");
        let begun = person.post("/participants/health/ping", &[]);
        assert_eq!(begun.status, 303, "{}", begun.text);
        let page = begun.location.clone();
        eventually("the end of the ping", SOON, || {
            let shown = person.get(&page).text;
            (!shown.contains("http-equiv=\"refresh\"")).then_some(shown)
        })
    };
    let failed = outcome(&mut person);
    assert!(failed.contains("badge ping-failed") && failed.contains("Соединение TCP"), "{failed}");

    // Who still has the older form is told who was faster.
    let late = send(&mut person, "/participants/health/edit", &filled(&edit.text, &[("name", "Другое имя")]));
    assert!(late.status == 422 && late.text.contains("petrova"), "{}", late.text);

    // Undone with a comment; the way is there again.
    let revision = person.get("/participants/health/revisions/2");
    assert!(revision.text.contains("<del>") && revision.text.contains("Переезд"), "{}", revision.text);
    let undone = person.post("/participants/health/undo", &[("to", "1"), ("comment", "Обратно"), ("revision", "2")]);
    assert_eq!(undone.status, 303, "{}", undone.text);
    eventually("the gateway by the third revision", SOON, || {
        let ready = crate::world::RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap().json();
        (ready["revisions"]["participants"] == 3).then_some(())
    });
    world.partner("health").behave(Behaviour::Receipt);
    let reached = outcome(&mut person);
    assert!(reached.contains("badge ping-reached"), "{reached}");
    let card = person.get("/participants/health?lang=en").text;
    assert!(card.contains("History") && card.contains("Обратно") && card.contains("petrova"), "{card}");

    // Who may only look sees no way to change anything.
    let mut auditor = world.person("sidorova", &["--role", "auditor"]);
    let seen = auditor.get("/participants/health").text;
    assert!(!seen.contains("/edit") && !seen.contains("/ping\""), "{seen}");
}
