//! An operator's day: what is late and why, what is done about it; what is parked, and what becomes of it; whose part it is.

use mezhved::domain::{CaseId, MessageId};
use uuid::Uuid;

use super::apply_late;
use crate::commands::{copy_folder, edit, project};
use crate::support::eventually;
use crate::world::{Backend, Behaviour, Person, RUNTIME, SOON, World, bodies, now};

/// The id in the first link that begins so.
fn linked(html: &str, begins: &str) -> String {
    let link = format!("href=\"{begins}");
    let mut ids = html.split(&link).skip(1).filter_map(|rest| rest.split('"').next());
    let id = ids.find(|id| Uuid::parse_str(id).is_ok());
    id.unwrap_or_else(|| panic!("no link {begins}: {html}")).to_owned()
}

fn request(world: &World, to: &str, document: &str) -> MessageId {
    let register = world.agency("register");
    let draft = register.draft(to, "document-request", bodies::request(document));
    world.post(register.sign(&draft)).receipt();
    draft.header.message_id
}

#[test]
fn an_operator_finds_what_is_late_reads_why_reminds_notes_and_waives() {
    let world = World::on(Backend::Sqlite).start();
    apply_late(&world);
    let mut petrova = world.person("petrova", &["--role", "operator"]);
    let id = linked(&petrova.get("/obligations").text, "/obligations/");
    let address = format!("/obligations/{id}");
    let page = petrova.get(&address).text;
    for text in ["Почему такой срок", "последний день", "<caption>", "просрочено", "Участник register"]
    {
        assert!(page.contains(text), "no {text}: {page}");
    }
    assert_eq!(bodies::PERSONAL.iter().find(|personal| page.contains(**personal)), None);
    assert!(petrova.get(&format!("{address}?lang=en")).text.contains("Why this term"));
    petrova.get("/?lang=ru");

    let reminded = || world.number("SELECT COUNT(*) FROM journal WHERE kind = 'obligation-reminded'");
    let done = petrova.post("/obligations/remind", &[("id", id.as_str()), ("back", address.as_str())]);
    assert_eq!((done.status, done.location.as_str(), reminded()), (303, address.as_str(), 1));
    petrova.get(&address);
    petrova.post("/obligations/remind", &[("id", id.as_str()), ("back", "//evil.example/")]);
    assert_eq!(reminded(), 1, "once an hour");
    let told = petrova.get("/obligations").text;
    assert!(told.contains("напоминали меньше часа назад"), "{told}");

    let noted = petrova.post(&format!("{address}/note"), &[("note", "<script>alert(1)</script> звонила")]);
    assert_eq!(noted.status, 303);
    let page = petrova.get(&address).text;
    assert!(page.contains("звонила") && page.contains("должнику напомнили"), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");

    let document =
        [("ground", "citizen-refused"), ("document", "Заявление об отказе"), ("number", "17"), ("date", "2026-01-12")];
    let waived = || world.number("SELECT COUNT(*) FROM obligations WHERE state = 'waived'");
    let unsure = petrova.post(&format!("{address}/waive"), &document);
    assert!(unsure.status == 200 && unsure.text.contains("Поставьте отметку"), "{}", unsure.text);
    assert!(unsure.text.contains("Заявление об отказе"), "what was typed stays");
    assert_eq!(waived(), 0);
    let lacking = petrova.post(&format!("{address}/waive"), &[("ground", "citizen-refused"), ("sure", "yes")]);
    assert!(lacking.text.contains("Не заполнено или не читается") && waived() == 0, "{}", lacking.text);
    let sure = petrova.post(&format!("{address}/waive"), &[&document[..], &[("sure", "yes")]].concat());
    assert_eq!((sure.status, waived()), (303, 1), "{}", sure.text);
    let by = "SELECT COUNT(*) FROM journal WHERE kind = 'obligation-waived' AND actor LIKE 'account:%'";
    assert_eq!(world.number(by), 1);
    let late = petrova.post(&format!("{address}/outside"), &[("way", "phone"), ("at", "2026-01-12"), ("sure", "yes")]);
    assert!(late.text.contains("уже закрыто"), "{}", late.text);
}

/// Refused everywhere where somebody else may.
fn refused(person: &mut Person, status: u16, posts: &[String]) {
    person.get("/own/password");
    for path in posts {
        let answer = person.post(path, &[("why", "x"), ("note", "x"), ("sure", "yes"), ("act", "pause")]);
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    }
}

#[test]
fn who_has_no_right_or_another_part_is_refused() {
    let world = World::on(Backend::Sqlite).start();
    let message = request(&world, "guardianship", "guardianship-act");
    world.until(message, "delivered");
    let owed = eventually("the answer is owed", SOON, || {
        world.listed(&["deadline", "list"]).into_iter().find(|owed| owed["debtor"] == "guardianship")
    });
    let obligation = format!("/obligations/{}", owed["id"].as_str().unwrap());
    let mut petrova = world.person("petrova", &["--role", "operator"]);
    let record = linked(&petrova.get(&format!("/messages?id={message}")).text, "/messages/");
    let conversation = linked(&petrova.get(&obligation).text, "/conversations/");
    let looks = [
        obligation.clone(),
        format!("/messages/{record}"),
        format!("/conversations/{conversation}"),
        "/queues/guardianship".to_owned(),
    ];
    let acts = [
        format!("{obligation}/waive"),
        format!("{obligation}/extend"),
        format!("{obligation}/note"),
        format!("{obligation}/outside"),
        format!("/messages/{record}/body"),
        format!("/messages/{record}/envelope"),
        "/queues/guardianship".to_owned(),
    ];
    let mut auditor = world.person("auditor", &["--role", "auditor"]);
    for path in &looks {
        assert_eq!((petrova.get(path).status, auditor.get(path).status), (200, 200), "{path}");
    }
    refused(&mut auditor, 403, &acts);
    for options in [&["--participant", "police"][..], &["--territory", "66"]] {
        let login = format!("far-{}", &options[0][2..]);
        let mut far = world.person(&login, &[&["--role", "operator"], options].concat());
        for path in &looks {
            assert_eq!(far.get(path).status, 404, "{path} by {options:?}");
        }
        refused(&mut far, 404, &acts);
        assert!(!far.get("/messages").text.contains(&record));
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM journal WHERE kind = 'personal-data-shown'"), 0);
    // Nobody lets himself off: the debtor sees it and may not waive it, the creditor may.
    let mut debtor = world.person("debtor", &["--role", "operator", "--participant", "guardianship"]);
    assert_eq!(debtor.get(&obligation).status, 200);
    refused(&mut debtor, 403, &acts[..2]);
    let mut creditor = world.person("creditor", &["--role", "operator", "--participant", "register"]);
    creditor.get(&obligation);
    let asked = creditor.post(&format!("{obligation}/waive"), &[("sure", "yes")]);
    assert!(asked.status == 200 && asked.text.contains("Не заполнено"), "{}", asked.text);
}

#[test]
fn a_body_is_masked_until_it_is_asked_for_and_the_journal_knows() {
    let mut world = World::on(Backend::Sqlite).prepare();
    edit(&world.file("participants/guardianship.toml"), "Участник guardianship", "<script>alert(1)</script>");
    world.serve();
    let message = request(&world, "guardianship", "guardianship-act");
    world.until(message, "delivered");
    let register = world.agency("register");
    let body = bodies::application(now(), &[]);
    let body = bodies::replaced(&body, "живёт один", "&lt;script&gt;alert(2)&lt;/script&gt;");
    let mut application = register.draft("register", "application", body);
    application.header.case_id = Some(CaseId::from_uuid(Uuid::now_v7()));
    world.post(register.sign(&application)).receipt();

    let shown =
        || world.number("SELECT COUNT(*) FROM journal WHERE kind = 'personal-data-shown' AND actor LIKE 'account:%'");
    let mut petrova = world.person("petrova", &["--role", "operator"]);
    let found = petrova.get("/messages?state=delivered&participant=guardianship").text;
    let address = format!("/messages/{}", linked(&found, "/messages/"));
    let page = petrova.get(&address).text;
    assert_eq!(bodies::PERSONAL.iter().find(|personal| page.contains(**personal)), None);
    assert!(page.contains("Содержание скрыто") && page.contains("подписанный ответ хранится"), "{page}");
    assert_eq!(shown(), 0);
    let page = petrova.post(&format!("{address}/body"), &[]);
    assert!(page.text.contains(bodies::PERSONAL[0]) && page.text.contains("В общей форме"), "{}", page.text);
    assert!(page.text.contains("Как ушло"), "what went out stands beside: {}", page.text);
    assert_eq!(shown(), 1);
    petrova.get(&address);
    let file = petrova.post(&format!("{address}/envelope"), &[]);
    let name = file.headers["content-disposition"].to_str().unwrap();
    assert_eq!(name, format!("attachment; filename=\"{message}.xml\""));
    assert!(file.text.contains("Signature"), "{}", file.text);
    assert_eq!(world.number("SELECT COUNT(*) FROM journal WHERE kind = 'envelope-downloaded'"), 1);

    let found = petrova.get(&format!("/messages?id={}", application.header.message_id)).text;
    let other = format!("/messages/{}", linked(&found, "/messages/"));
    petrova.get(&other);
    let page = petrova.post(&format!("{other}/body"), &[]).text;
    assert!(page.contains("alert(2)") && !page.contains("<script>alert"), "{page}");
    for path in ["/", "/messages", "/queues", "/queues/guardianship", address.as_str()] {
        let page = petrova.get(path).text;
        assert!(!page.contains("<script>alert"), "{path}: {page}");
    }
    // A class of personal data that one may not see.
    let mut narrow = world.person("narrow", &["--role", "operator", "--data-class", "health"]);
    narrow.get(&address);
    assert_eq!(narrow.post(&format!("{address}/body"), &[]).status, 403);
    assert_eq!(shown(), 2);
    let unknown = petrova.get("/messages?from=yesterday");
    assert!(unknown.status == 200 && unknown.text.contains("Не удалось прочитать отбор"), "{}", unknown.text);
}

#[test]
fn what_a_broken_adapter_parked_goes_out_after_it_was_mended_and_is_replayed() {
    let mut world = World::on(Backend::Sqlite).prepare();
    copy_folder(&project("adapters/health"), &world.file("adapters/health"));
    let template = world.file("adapters/health/templates/request.out.xml");
    edit(&template, "body.legalAct)", "body.legalActs)");
    world.serve();
    let (first, second) =
        (request(&world, "health", "medical-conclusion"), request(&world, "health", "medical-conclusion"));
    for id in [first, second] {
        assert_eq!(world.until(id, "parked")["reason"], "translation-failed");
    }
    let mut petrova = world.person("petrova", &["--role", "operator"]);
    let overview = petrova.get("/").text;
    assert!(overview.contains("<b>2</b> отложено") && overview.contains("reason=translation-failed"), "{overview}");
    let list = petrova.get("/dead?state=parked&reason=translation-failed").text;
    let id = linked(&list, "/dead/");
    let one = petrova.get(&format!("/dead/{id}")).text;
    assert!(one.contains("не удалось перевести") && one.contains("legalActs"), "the whole chain: {one}");

    edit(&template, "body.legalActs)", "body.legalAct)");
    world.mezhved(&["partner", "apply"]).done();
    eventually("the gateway by the mended adapter", SOON, || {
        let ready = RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap().json();
        (ready["revisions"]["bundle"] == 2).then_some(())
    });
    let why = petrova.post("/dead", &[("id", id.as_str()), ("act", "retranslate"), ("why", "")]);
    assert!(why.status == 200 && why.text.contains("Напишите, почему"), "{}", why.text);
    let done = petrova.post("/dead", &[("id", id.as_str()), ("act", "retranslate"), ("why", "Адаптер исправлен")]);
    assert_eq!((done.status, done.location.as_str()), (303, "/dead"));
    assert!(petrova.get("/dead").text.contains("Снова в очереди: 1"));
    eventually("one is delivered", SOON, || (world.partner("health").counts().0 == 1).then_some(()));
    let left = linked(&petrova.get("/dead").text, "/dead/");
    assert_ne!(left, id);
    let unsure = petrova.post("/dead", &[("id", left.as_str()), ("act", "discard"), ("why", "На бумаге")]);
    assert!(unsure.text.contains("Поставьте отметку"), "{}", unsure.text);
    petrova.post("/dead", &[("id", left.as_str()), ("act", "discard"), ("why", "На бумаге"), ("sure", "yes")]);
    let discarded = "SELECT COUNT(*) FROM deliveries WHERE state = 'discarded'";
    assert_eq!(world.number(discarded), 1);
    assert!(petrova.get("/dead").text.contains("решать нечего"));
}

#[test]
fn a_queue_is_paused_stopped_and_resumed_with_a_reason() {
    let world = World::on(Backend::Sqlite).start();
    let mut petrova = world.person("petrova", &["--role", "operator"]);
    let page = petrova.get("/queues/guardianship").text;
    assert!(page.contains("Участник guardianship") && page.contains("Об этой очереди ничего не решали"), "{page}");
    let mut say = |act: &str, why: &str, sure: &str| {
        petrova.get("/queues/guardianship");
        petrova.post("/queues/guardianship", &[("act", act), ("why", why), ("sure", sure)])
    };
    assert!(say("pause", "", "").text.contains("Напишите, почему"));
    assert_eq!(say("pause", "Работы", "").status, 303);
    let message = request(&world, "guardianship", "guardianship-act");
    assert!(say("stop", "Закрыто", "").text.contains("Поставьте отметку"));
    assert_eq!(say("stop", "Закрыто", "yes").status, 303);
    assert_eq!(world.until(message, "parked")["reason"], "queue-stopped");
    assert_eq!(say("resume", "Открыто", "").status, 303);
    let list = petrova.get("/queues").text;
    assert!(list.contains("state=parked\">1</a>"), "{list}");
    let page = petrova.get("/queues/guardianship").text;
    for said in ["Работы", "Закрыто", "Открыто"] {
        assert!(page.contains(said), "{page}");
    }
    world.partner("guardianship").behave(Behaviour::Receipt);
    let id = linked(&petrova.get("/dead").text, "/dead/");
    petrova.post("/dead", &[("id", id.as_str()), ("act", "replay"), ("why", "Открыто")]);
    world.until(message, "delivered");
    assert_eq!(petrova.get("/queues/nobody-here").status, 404);
}
