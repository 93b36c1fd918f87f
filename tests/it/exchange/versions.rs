//! One participant moves to the second version of a message while others stay on the first, and what is needed for that comes and goes
//! while the gateway runs.

use std::path::Path;

use mezhved::bundle;
use mezhved::domain::{CaseId, FaultCode, MessageId, MessageType};
use mezhved::envelope::technical::{MailboxBatch, MailboxPull};
use uuid::Uuid;

use crate::support::eventually;
use crate::world::{Answer, Backend, Behaviour, GATEWAY, Opened, RUNTIME, SOON, World, bodies, now};

const DOWN: &str = "conversions/termination/1-2";

/// A decision with what only the second version has.
fn second(number: &str) -> String {
    let at = now().plus_seconds(-5);
    let day = at.to_string().chars().take(10).collect::<String>();
    format!(
        "<Termination xmlns=\"urn:mezhved:social:termination:2\"><number>{number}</number><decidedAt>{at}</decidedAt>\
         <decidedBy>Вымышленный центр</decidedBy><endsOn>{day}</endsOn><ground>result-reached</ground>\
         <observation>true</observation><observationUntil>2999-11-30</observationUntil></Termination>"
    )
}

/// The same in the first version, as the built-in conversion writes it.
fn first(second: &str) -> String {
    let text = second.replace("termination:2", "termination:1").replace("<decidedBy>Вымышленный центр</decidedBy>", "");
    let ground = "<ground>other</ground><groundText>Результат сопровождения достигнут</groundText>\
                  <recommendations>Наблюдать по 30.11.2999.</recommendations>";
    text.replace("<ground>result-reached</ground>", ground)
        .replace("<observationUntil>2999-11-30</observationUntil>", "")
}

struct Case<'w> {
    world: &'w World,
    case: CaseId,
}

impl<'w> Case<'w> {
    fn begin(world: &'w World) -> Self {
        let case = Self { world, case: CaseId::from_uuid(Uuid::now_v7()) };
        case.send("register", ("application", 1), bodies::application(now().plus_seconds(-60), &[])).1.receipt();
        case
    }

    fn send(&self, to: &str, (kind, version): (&str, u32), body: String) -> (MessageId, Answer) {
        let register = self.world.agency("register");
        let mut draft = register.draft(to, kind, body);
        draft.header.case_id = Some(self.case);
        draft.header.message_type = MessageType::new(kind, version).unwrap();
        (draft.header.message_id, self.world.post(register.sign(&draft)))
    }
}

/// The region with education speaking the canonical form, in both versions of a decision to end.
fn region(backend: Backend) -> World {
    let mut world = World::on(backend).whole_region().prepare();
    edit(&world.file("participants/education.toml"), "adapter = \"education\"\n", "versions = { termination = [2] }\n");
    world.serve();
    world
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, bodies::replaced(&text, from, to)).unwrap();
}

/// Writes the built-in files below this path into the world's folder.
fn lay(world: &World, folder: &str) {
    for (path, bytes) in bundle::embedded().iter().filter(|(path, _)| path.starts_with(&format!("{folder}/"))) {
        let place = world.file(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
}

/// Puts the folder in force and waits until the running gateway works by it.
fn apply(world: &World) {
    world.mezhved(&["partner", "apply"]).done();
    in_force(world);
}

fn in_force(world: &World) {
    let behind = "SELECT COUNT(*) FROM nodes WHERE bundle_revision < (SELECT MAX(number) FROM config_revisions WHERE kind = 'bundle')";
    eventually("the new revision", SOON, || (world.number(behind) == 0).then_some(()));
}

fn pulled(world: &World, id: MessageId) -> Opened {
    found(world, |opened| opened.header.message_id == id)
}

/// What lies in education's mailbox.
fn found(world: &World, wanted: impl Fn(&Opened) -> bool) -> Opened {
    let education = world.agency("education");
    eventually("the mailbox", SOON, || {
        let pull = education.sign(&education.technical(&MailboxPull { messages_max: 10 }));
        let answer = RUNTIME.block_on(world.wire().post("/v1/mailbox/pull", pull)).unwrap();
        let batch: MailboxBatch = answer.opened().technical();
        let opened = batch.items.iter().map(|item| Opened::read(&item.envelope, &world.gateway_certificate).unwrap());
        opened.into_iter().find(&wanted)
    })
}

fn each_gets_its_version(backend: Backend) {
    let world = region(backend);
    let case = Case::begin(&world);
    let body = second("З-1");
    // Who says nothing stays on the first version, whatever the sender moves to; so does an adapter that has only that.
    let mut sent = Vec::new();
    for to in ["guardianship", "health", "education"] {
        let (id, answer) = case.send(to, ("termination", 2), body.clone());
        answer.receipt();
        sent.push(id);
    }
    let came = eventually("the decision", SOON, || world.partner("guardianship").message(sent[0]));
    assert_eq!((came.opened.header.message_type.version, came.opened.text()), (1, first(&body)));
    let came = eventually("the decision", SOON, || world.partner("health").message(sent[1]));
    assert_eq!(came.opened.header.message_type.version, 1);
    let text = came.opened.text();
    assert!(text.starts_with("<Bundle") && text.contains("Результат сопровождения достигнут"), "{text}");
    let came = pulled(&world, sent[2]);
    assert_eq!((came.header.message_type.version, came.text()), (2, body.clone()));
    // The journal says what was changed, and what did not go.
    let converted = "SELECT COUNT(*) FROM journal WHERE kind = 'message-converted' \
                     AND detail LIKE '%termination/2: decidedBy%' AND participant IN ('guardianship', 'health')";
    eventually("the journal", SOON, || (world.number(converted) == 2).then_some(()));
    assert_eq!(world.number("SELECT COUNT(*) FROM journal WHERE kind = 'message-converted'"), 2);
    // And the first version goes up to who takes the second only.
    let lower = first(&body);
    let (id, answer) = case.send("education", ("termination", 1), lower.replace(">other<", ">programme-done<"));
    answer.receipt();
    let came = pulled(&world, id);
    assert_eq!(came.header.message_type.version, 2);
    assert_eq!(came.text(), lower.replace("termination:1", "termination:2").replace(">other<", ">programme-done<"));
    world.mezhved(&["journal", "verify"]).done();
}

#[test]
fn each_gets_the_version_that_it_takes_on_sqlite() {
    each_gets_its_version(Backend::Sqlite);
}

#[test]
fn each_gets_the_version_that_it_takes_on_postgresql() {
    each_gets_its_version(Backend::Postgres);
}

#[test]
fn without_a_conversion_a_message_is_refused_and_what_was_taken_is_parked() {
    let world = region(Backend::Sqlite);
    let case = Case::begin(&world);
    // Taken while there is a conversion, and refused by the partner.
    world.partner("guardianship").behave(Behaviour::Fault("schema-invalid".to_owned()));
    let (id, answer) = case.send("guardianship", ("termination", 2), second("З-1"));
    answer.receipt();
    world.until(id, "refused");
    world.partner("guardianship").behave(Behaviour::Receipt);
    lay(&world, DOWN);
    let manifest = world.file(&format!("{DOWN}/manifest.toml"));
    let whole = std::fs::read_to_string(&manifest).unwrap();
    let listed = "not-carried = [\"decidedBy\", \"contractNumber\", \"request\"]\n";
    std::fs::write(&manifest, bodies::replaced(&whole, &format!("[down]\ntemplate = \"down.xml\"\n{listed}"), ""))
        .unwrap();
    let told = world.mezhved(&["config", "check"]);
    let said = told.stdout + &told.stderr;
    assert!(said.contains("participants/guardianship.toml") && said.contains("version-unsupported"), "{said}");
    apply(&world);
    let fault = case.send("guardianship", ("termination", 2), second("З-2")).1.fault();
    assert_eq!(fault.code, FaultCode::VersionUnsupported.code());
    let detail = fault.detail.unwrap();
    let words = ["`guardianship`", "version 2 of `termination`", "from version 2 to version 1", "`versions`"];
    assert!(words.iter().all(|word| detail.contains(word)), "{detail}");
    let replay = ["message", "replay", &id.to_string(), "--retranslate"].map(str::to_owned);
    let again = |reason: &str| {
        world.mezhved(&replay.each_ref().map(String::as_str)).done();
        let parked = world.until(id, "parked");
        assert_eq!(parked["reason"], reason, "{parked}");
        parked["detail"].as_str().unwrap().to_owned()
    };
    let why = again("version-unsupported");
    assert!(why.contains("`guardianship`") && why.contains("conversions/termination"), "{why}");
    // A conversion that cannot carry a value and does not say so: refused with the path, and parked.
    std::fs::write(&manifest, bodies::replaced(&whole, listed, "")).unwrap();
    apply(&world);
    let fault = case.send("guardianship", ("termination", 2), second("З-3")).1.fault();
    assert_eq!(fault.code, FaultCode::TranslationFailed.code());
    let detail = fault.detail.unwrap();
    assert!(detail.contains("/Termination/decidedBy") && detail.contains("takes version 1"), "{detail}");
    assert!(again("translation-failed").contains("/Termination/decidedBy"));
    // With the conversion back the same message goes, without a restart.
    std::fs::remove_dir_all(world.file("conversions")).unwrap();
    apply(&world);
    world.mezhved(&replay.each_ref().map(String::as_str)).done();
    world.until(id, "delivered");
    let came = world.partner("guardianship").copies().pop().unwrap().opened;
    assert_eq!(came.header.message_type.version, 1, "{}", came.text());
}

/// A programme with the codes of its measures, for two organisations.
fn programme(numbers: &[(&str, &str)]) -> String {
    let measure = |(number, who): &(&str, &str)| {
        format!(
            "<measure><number>{number}</number><helpKind>social</helpKind><helpMeasure>social-work</helpMeasure><title>Работа</title>\
             <responsible>{who}</responsible><beginsOn>2026-05-18</beginsOn><dueOn>2026-10-30</dueOn></measure>"
        )
    };
    format!(
        "<Programme xmlns=\"urn:mezhved:social:programme:2\"><number>П-1</number><version>1</version><status>approved</status>\
         <approvedAt>2026-05-15T16:30:00+05:00</approvedAt><beginsOn>2026-05-18</beginsOn><endsOn>2026-11-17</endsOn>\
         <measures>{}</measures></Programme>",
        numbers.iter().map(measure).collect::<String>()
    )
}

#[test]
fn a_programme_of_the_second_version_is_parted_and_each_part_converted() {
    let mut world = World::on(Backend::Sqlite).whole_region().prepare();
    let versions = "versions = { programme = 2 }\n";
    edit(&world.file("participants/education.toml"), "adapter = \"education\"\n", versions);
    world.serve();
    let case = Case::begin(&world);
    let whole = programme(&[("1", "guardianship"), ("2", "education"), ("3", "health")]);
    let (id, answer) = case.send(GATEWAY, ("programme", 2), whole);
    answer.receipt();
    let came = eventually("a part", SOON, || world.partner("guardianship").first("programme"));
    let own = programme(&[("1", "guardianship")]).replace("programme:2", "programme:1");
    let own = own.replace("<helpMeasure>social-work</helpMeasure>", "");
    let header = &came.opened.header;
    assert_eq!((header.message_type.version, header.derived_from, came.opened.text()), (1, Some(id), own));
    let came = eventually("a part", SOON, || world.partner("health").first("programme"));
    assert_eq!(came.opened.header.message_type.version, 1);
    let came = found(&world, |opened| opened.kind() == "programme");
    assert_eq!((came.header.message_type.version, came.text()), (2, programme(&[("2", "education")])));
    // What follows is judged on what was sent: everybody's measure is owed, of the kind that it has.
    let owed = world.listed(&["deadline", "list", "--case", &case.case.to_string(), "--rule", "measure"]);
    assert_eq!(owed.len(), 3, "{owed:?}");
    let shown = world.mezhved(&["case", "show", &case.case.to_string(), "--json"]).done().json();
    assert_eq!(shown["measures"].as_array().map(Vec::len), Some(3), "{shown}");
    // An application of the second version begins a case as the first does.
    let other = Case { world: &world, case: CaseId::from_uuid(Uuid::now_v7()) };
    let application = bodies::application(now().plus_seconds(-60), &[("medical-conclusion", "health")]);
    let grounds = "<needGrounds><needGround>no-work-no-means</needGround></needGrounds><helpKinds>";
    let application = bodies::replaced(&application.replace("application:1", "application:2"), "<helpKinds>", grounds);
    other.send("register", ("application", 2), application).1.receipt();
    let owed = world.listed(&["deadline", "list", "--case", &other.case.to_string(), "--rule", "document-request"]);
    assert_eq!(owed.len(), 1, "{owed:?}");
}

/// Refused: the folder is not put in force, and says so at this place.
fn refused(world: &World, place: &str) {
    let before = world.number("SELECT COUNT(*) FROM config_revisions");
    let told = world.mezhved(&["partner", "apply"]);
    assert_ne!(told.status, Some(0), "{place}: {}", told.stdout);
    assert!(told.stderr.contains(place), "{place} is not in:\n{}", told.stderr);
    assert_eq!(world.number("SELECT COUNT(*) FROM config_revisions"), before, "{place}");
}

#[test]
fn a_change_of_the_rules_is_taken_whole_or_not_at_all_and_without_a_restart() {
    let world = region(Backend::Sqlite);
    let case = Case::begin(&world);
    let number = std::cell::Cell::new(0);
    let ground = || {
        number.set(number.get() + 1);
        let body = second(&format!("З-{}", number.get()));
        let body = body.replace("result-reached", "programme-done");
        let (id, answer) = case.send("health", ("termination", 2), body);
        answer.receipt();
        let came = eventually("the decision", SOON, || world.partner("health").message(id));
        let text = came.opened.text();
        let code = |code: &str| text.contains(&format!("<code value=\"{code}\">"));
        match (code("programme-done"), code("ended-well"), text.contains("urn:mezhved:ended")) {
            (true, false, false) => "old",
            (false, true, true) => "new",
            _ => panic!("half of a change: {text}"),
        }
    };
    assert_eq!(ground(), "old");
    // A code list and a template of an adapter are changed as they should be, and each time something else is broken.
    lay(&world, "adapters/health");
    lay(&world, DOWN);
    edit(
        &world.file("adapters/health/codes/termination-grounds.csv"),
        "programme-done,programme-done",
        "programme-done,ended-well",
    );
    let template = world.file("adapters/health/templates/termination.out.xml");
    edit(&template, "urn:mezhved:decision-number", "urn:mezhved:ended");
    let own = world.file("schemas/social/own-note/1/own-note.xsd");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    for (path, broken) in [
        (format!("{DOWN}/templates/down.xml"), "{% for x in body.all('a') %}"),
        (format!("{DOWN}/manifest.toml"), "title = \"x\"\ntitle-en = \"x\"\nup = { template = \"away.xml\" }\n"),
        (format!("{DOWN}/grounds.csv"), "1,2\na,b\na,c\n"),
        ("adapters/health/codes/levels.csv".to_owned(), "canonical,partner\na,1\nb,1\n"),
        ("adapters/health/templates/lib.xml".to_owned(), "{{ a ~ b }}"),
        ("schemas/social/own-note/1/own-note.xsd".to_owned(), "<xs:schema/>"),
    ] {
        let place = world.file(&path);
        let before = std::fs::read(&place).ok();
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, broken).unwrap();
        refused(&world, path.strip_suffix("manifest.toml").unwrap_or(&path));
        match before {
            Some(bytes) => std::fs::write(&place, bytes).unwrap(),
            None => std::fs::remove_file(&place).unwrap(),
        }
    }
    // What has been published does not change.
    let published = world.file("schemas/social/note/1/note.xsd");
    std::fs::create_dir_all(published.parent().unwrap()).unwrap();
    std::fs::write(&published, "<xs:schema/>").unwrap();
    refused(&world, "schemas/social/note/1/note.xsd");
    std::fs::remove_file(published).unwrap();
    assert_eq!(ground(), "old");
    apply(&world);
    assert_eq!(ground(), "new");
}
