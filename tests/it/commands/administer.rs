//! `partner add | set | certificate | history | undo`: one participant as typed data, and revisions with a way back.

use serde_json::Value;

use crate::world::{Agency, Backend, World};

fn changed(world: &World, arguments: &[&str]) -> i64 {
    let told = world.mezhved(&[arguments, &["--author", "petrova", "--json"]].concat()).done().json();
    told["revision"].as_i64().unwrap_or_else(|| panic!("no revision: {told}"))
}

fn field(world: &World, participant: &str, field: &str) -> Value {
    world.mezhved(&["partner", "show", participant, "--json"]).done().json()["fields"][field].clone()
}

#[test]
fn a_participant_is_changed_looked_at_and_brought_back_on_sqlite() {
    edited(Backend::Sqlite);
}

#[test]
fn a_participant_is_changed_looked_at_and_brought_back_on_postgresql() {
    edited(Backend::Postgres);
}

fn edited(backend: Backend) {
    let world = World::on(backend).prepare();
    world.mezhved(&["partner", "apply", "--author", "petrova", "--comment", "первая"]).done();
    let set = ["partner", "set", "police", "name=Полиция города", "in_flight_max=4", "contact=Иванова | дежурный"];
    assert_eq!(changed(&world, &[&set[..], &["--comment", "Приказ 12"]].concat()), 2);
    assert_eq!(field(&world, "police", "name"), "Полиция города");
    assert_eq!(changed(&world, &["partner", "set", "education", "notices=failures"]), 3);

    // Who changed what, when and why.
    let history = world.mezhved(&["partner", "history", "--json"]).done().json();
    let row = |at: usize| history["revisions"][at].clone();
    assert_eq!((&row(0)["revision"], &row(0)["participants"][0]), (&3.into(), &"education".into()), "{history}");
    assert_eq!((&row(1)["author"], &row(1)["comment"]), (&"petrova".into(), &"Приказ 12".into()), "{history}");
    assert_eq!(row(2)["participants"].as_array().map(Vec::len), Some(6), "the first one brought all: {history}");
    let of_police = world.mezhved(&["partner", "history", "--participant", "police", "--json"]).done().json();
    assert_eq!(of_police["revisions"].as_array().map(Vec::len), Some(2), "{of_police}");
    let shown = world.mezhved(&["partner", "show", "2"]).done().stdout;
    assert!(shown.contains("-name = \"Участник police\"") && shown.contains("+name = \"Полиция города\""), "{shown}");
    let diff = world.mezhved(&["partner", "diff", "1", "3", "--participant", "education"]).done().stdout;
    assert!(diff.contains("+notices = \"failures\"") && !diff.contains("police"), "{diff}");

    // Seen before somebody else's change: of the same participant it is refused, of another it is not.
    let late = ["partner", "set", "police", "in_flight_max=5", "--based-on", "1"];
    let refused = world.mezhved(&late);
    assert!(refused.status == Some(1) && refused.stderr.contains("petrova"), "{refused}");
    assert_eq!(changed(&world, &["partner", "set", "health", "in_flight_max=5", "--based-on", "1"]), 4);

    // Back to what the first revision said of one participant; the others stay.
    assert_eq!(changed(&world, &["partner", "undo", "1", "--participant", "police", "--comment", "Ошибка"]), 5);
    assert_eq!(
        (field(&world, "police", "name"), field(&world, "health", "in_flight_max")),
        ("Участник police".into(), "5".into())
    );
    assert_eq!(changed(&world, &["partner", "undo", "2", "--comment", "Как было"]), 6);
    assert_eq!(
        (field(&world, "police", "name"), field(&world, "health", "in_flight_max")),
        ("Полиция города".into(), "32".into())
    );
    let nothing = world.mezhved(&["partner", "undo", "2", "--comment", "Ещё раз"]);
    assert!(nothing.status == Some(1) && nothing.stderr.contains("ничего не меняется"), "{nothing}");
    assert_eq!(world.mezhved(&["partner", "undo", "99", "--comment", "x"]).status, Some(1));
}

#[test]
fn what_is_wrong_is_said_at_its_field_and_nothing_changes() {
    let world = World::on(Backend::Sqlite).prepare();
    world.mezhved(&["partner", "apply"]).done();
    for (assignments, said) in [
        (&["zone=Asia/Surgut"][..], "zone: "),
        (&["transport.url=ftp://x"], "transport.url: "),
        (&["transport.kind=mailbox", "transport.url=http://x.example"], "transport.url: "),
        (&["in_flight_max=many"], "in_flight_max: "),
        (&["in_flight_max=0"], "in_flight_max: "),
        (&["adapter=nobody"], "adapter: "),
        (&["regulation=nowhere"], "regulation: "),
        (&["role=health: x"], "role: "),
        (&["data_classes=secret"], "data_classes: "),
        (&["contact=Иванова | | | не почта"], "contact: "),
        (&["name="], "name: "),
        (&["id=other"], "id: "),
        (&["framing=plain"], "framing: "),
    ] {
        let refused = world.mezhved(&[&["partner", "set", "health"], assignments].concat());
        let is_said = refused.stderr.lines().any(|line| line.trim_start_matches("mezhved: ").starts_with(said));
        assert!(refused.status == Some(1) && is_said, "{assignments:?}: {refused}");
    }
    assert_eq!(world.mezhved(&["partner", "set", "health", "colour=red"]).status, Some(2));
    assert_eq!(world.mezhved(&["partner", "set", "nobody", "name=x"]).status, Some(1));
    assert_eq!(
        world.mezhved(&["partner", "history", "--json"]).done().json()["revisions"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_participant_comes_with_its_certificate_and_goes() {
    let world = World::on(Backend::Sqlite).whole_region().prepare();
    world.mezhved(&["partner", "apply"]).done();
    let crm = Agency::generate(&world.file("agencies"), "crm");
    let fields = ["name=CRM", "regulation=yugra", "zone=Asia/Yekaterinburg", "role=culture", "transport.kind=mailbox"];
    let add = |certificate: &std::path::Path| {
        let file = certificate.to_str().unwrap().to_owned();
        world.mezhved(&[&["partner", "add", "crm"], &fields[..], &["--certificate", &file]].concat())
    };
    let others = world.agency("police").certificate_file.clone();
    let refused = add(&others);
    assert!(refused.status == Some(1) && refused.stderr.contains("`police`"), "somebody else's key: {refused}");
    add(&crm.certificate_file).done();
    let listed = world.mezhved(&["partner", "certificate", "list", "crm", "--json"]).done().json();
    assert_eq!(listed["certificates"][0]["state"], "valid", "{listed}");
    let again = add(&crm.certificate_file);
    assert!(again.status == Some(1) && again.stderr.contains("`crm`"), "{again}");
    world.mezhved(&["partner", "remove", "crm"]).done();
    assert_eq!(world.mezhved(&["partner", "show", "crm"]).status, Some(1));
    let shown = world.mezhved(&["partner", "show", "3"]).done().stdout;
    assert!(shown.contains("participants/crm.toml") && shown.contains(".crt"), "its certificate went too: {shown}");
}

#[test]
fn certificates_overlap_while_keys_rotate() {
    let world = World::on(Backend::Sqlite).prepare();
    world.mezhved(&["partner", "apply"]).done();
    let next = Agency::generate(&world.file("agencies"), "police-next");
    let expired = Agency::expired(&world.file("agencies"), "police-old");
    let add = |file: &std::path::Path| {
        world.mezhved(&["partner", "certificate", "add", "police", file.to_str().unwrap(), "--comment", "Новый ключ"])
    };
    let said = |finished: crate::support::Finished, with: &str| {
        assert!(finished.status == Some(1) && finished.stderr.contains(with), "{with}: {finished}");
    };
    said(add(&expired.certificate_file), "истёк");
    said(add(&next.key_file), "закрытый ключ");
    said(add(&world.file("settings.toml")), "не сертификат");
    said(add(&world.agency("police").certificate_file), "уже зарегистрирован");
    said(add(&world.agency("health").certificate_file), "`health`");
    said(add(&world.file("keys/gateway.cert.pem")), "самого шлюза");

    add(&next.certificate_file).done();
    let list = || {
        let listed = world.mezhved(&["partner", "certificate", "list", "police", "--json"]).done().json();
        listed["certificates"].as_array().unwrap().clone()
    };
    assert_eq!(list().len(), 2);
    let old = world.agency("police").certificate().thumbprint().to_string();
    world.mezhved(&["partner", "certificate", "end", "police", &old]).done();
    let left = list();
    assert_eq!(
        (left.len(), left[0]["thumbprint"].as_str()),
        (1, Some(next.certificate().thumbprint().to_string().as_str()))
    );
    said(world.mezhved(&["partner", "certificate", "end", "police", &old]), "такого сертификата");
    let last = next.certificate().thumbprint().to_string();
    said(world.mezhved(&["partner", "certificate", "end", "police", &last]), "нет сертификата");
    let soon = world.mezhved(&["partner", "certificate", "list", "--within", "36000", "--json"]).done().json();
    assert!(soon["certificates"].as_array().unwrap().iter().any(|c| c["participant"] == "mezhved"), "{soon}");
}

#[test]
fn the_gateways_own_key_is_certified_by_an_authority() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let request = ["key", "request", "--out", out, "--name", "g2", "--subject", "CN=gateway, O=Депсоцразвития, C=RU"];
    crate::support::mezhved(&request).done();
    assert_eq!(crate::support::mezhved(&request).status, Some(1), "never replaces a file");
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let openssl = |arguments: &[&str]| {
        let done = std::process::Command::new("openssl").args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let read = openssl(&["req", "-in", &file("g2.csr.pem"), "-noout", "-subject", "-verify", "-nameopt", "utf8"]);
    assert!(read.contains("Депсоцразвития"), "{read}");
    // The authority: openssl.
    let (ca_key, ca) = (file("ca.key.pem"), file("ca.pem"));
    openssl(&[
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &ca_key, "-out", &ca, "-subj", "/CN=ca", "-days",
        "9",
    ]);
    let (csr, answer) = (file("g2.csr.pem"), file("answer.cer"));
    openssl(&[
        "x509", "-req", "-in", &csr, "-CA", &ca, "-CAkey", &ca_key, "-out", &answer, "-outform", "DER", "-days", "9",
    ]);
    let wrong = crate::support::mezhved(&["key", "accept", "--key", &ca_key, "--certificate", &answer]);
    assert!(wrong.status == Some(1) && wrong.stderr.contains("does not belong"), "{wrong}");
    let told =
        crate::support::mezhved(&["key", "accept", "--key", &file("g2.key.pem"), "--certificate", &answer, "--json"]);
    assert_eq!(told.done().json()["certificate"], file("g2.cert.pem"));
    for bad in ["O=x", "CN=a, X=b", "CN=a, C=rus"] {
        let asked = ["key", "request", "--out", out, "--name", "g3", "--subject", bad];
        assert_eq!(crate::support::mezhved(&asked).status, Some(2), "{bad}");
    }
}
