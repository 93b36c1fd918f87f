//! `config check`, `schema check`, `adapter test`: what is wrong, where, and the way out.

use super::{copy_folder, edit, project};
use crate::support::{Finished, mezhved};
use crate::world::{Backend, World, bodies};

fn prepared() -> World {
    World::on(Backend::Sqlite).prepare()
}

/// Everything that was said, on either stream.
fn said(finished: &Finished) -> String {
    format!("{}{}", finished.stdout, finished.stderr)
}

#[test]
fn a_good_folder_passes_and_nothing_is_changed() {
    let world = prepared();
    let good = world.mezhved(&["config", "check"]).done();
    assert!(good.stdout.contains("errors: 0"), "{good}");
    let report = world.mezhved(&["config", "check", "--json"]).done().json();
    assert_eq!(report["ok"], true);
    // The chain of terms that is longer than its norm is told.
    let findings = report["findings"].to_string();
    assert!(findings.contains("document-request + document-answer"), "{findings}");
    assert!(!world.file("data").exists(), "a check opens no database");
}

#[test]
fn a_broken_folder_is_told_with_its_place() {
    type Break = fn(&World);
    let table: [(&str, Break, &[&str]); 14] = [
        (
            "an unknown key",
            |w| edit(&w.file("settings.toml"), "agencies.listen", "delivery.worker = 3\nagencies.listen"),
            &["delivery.worker", "settings.toml", "delivery.workers"],
        ),
        (
            "a bad value",
            |w| edit(&w.file("settings.toml"), "agencies.listen", "delivery.workers = 0\nagencies.listen"),
            &["delivery.workers", "settings.toml", "1 to 1024"],
        ),
        (
            "no key of the gateway",
            |w| std::fs::remove_file(w.file("keys/gateway.key.pem")).unwrap(),
            &["gateway.key.pem"],
        ),
        (
            "another's certificate",
            |w| {
                std::fs::copy(w.file("participants/police.crt"), w.file("keys/gateway.cert.pem")).unwrap();
            },
            &["gateway.key.pem", "key generate"],
        ),
        (
            "an unknown field of a participant",
            |w| edit(&w.file("participants/health.toml"), "in_flight_max = 32", "in_flight_max = 32\ncolour = \"red\""),
            &["participants/health.toml:7", "colour"],
        ),
        (
            "an unknown class of data",
            |w| {
                edit(
                    &w.file("participants/health.toml"),
                    "in_flight_max = 32",
                    "in_flight_max = 32\ndata_classes = [\"secret\"]",
                );
            },
            &["participants/health.toml:7", "`secret`", "criminal-record"],
        ),
        (
            "notices of another kind",
            |w| {
                edit(
                    &w.file("participants/health.toml"),
                    "in_flight_max = 32",
                    "in_flight_max = 32\nnotices = \"some\"",
                )
            },
            &["participants/health.toml:7", "`some`", "failures"],
        ),
        (
            "a zone that is none",
            |w| edit(&w.file("participants/health.toml"), "Asia/Yekaterinburg", "Asia/Surgut"),
            &["participants/health.toml:4", "Asia/Surgut"],
        ),
        (
            "a certificate that is not there",
            |w| std::fs::remove_file(w.file("participants/health.crt")).unwrap(),
            &["participants/health.toml:9", "participants/health.crt"],
        ),
        (
            "an adapter that is not there",
            |w| edit(&w.file("participants/health.toml"), "adapter = \"health\"", "adapter = \"hospital\""),
            &["participants/health.toml", "hospital"],
        ),
        (
            "two participants with one id",
            |w| edit(&w.file("participants/police.toml"), "id = \"police\"", "id = \"health\""),
            &["participants/police.toml", "health"],
        ),
        (
            "a role that nobody holds",
            |w| std::fs::remove_file(w.file("participants/police.toml")).unwrap(),
            &["regulations/yugra.toml", "`police`"],
        ),
        (
            "a regulation with a mistake in a term",
            |w| {
                edit(&w.file("regulations/yugra.toml"), "term = \"1 working day\"", "term = \"1 workin day\"");
            },
            &["regulations/yugra.toml:", "workin"],
        ),
        (
            "an adapter with a broken template",
            |w| {
                copy_folder(&project("adapters/health"), &w.file("adapters/health"));
                edit(&w.file("adapters/health/templates/request.out.xml"), "{%- endfor %}", "{%- endfro %}");
            },
            &["adapters/health/templates/request.out.xml", "endfro"],
        ),
    ];
    for (name, spoil, named) in table {
        let world = prepared();
        spoil(&world);
        let refused = world.mezhved(&["config", "check"]);
        assert_eq!(refused.status, Some(1), "{name}: {refused}");
        for place in named {
            assert!(said(&refused).contains(place), "{name}: no `{place}` in {refused}");
        }
        let not_started = world.mezhved(&["serve"]);
        assert_eq!(not_started.status, Some(1), "{name}: {not_started}");
        assert!(said(&not_started).contains(named[0]), "{name}: no `{}` in {not_started}", named[0]);
    }
}

#[test]
fn what_an_adapter_does_not_translate_is_told() {
    // The whole regulation sends the police a programme; guardianship speaks the canonical form.
    let world = World::on(Backend::Sqlite).whole_region().prepare();
    let own = world.file("adapters/police");
    copy_folder(&project("adapters/police"), &own);
    edit(&own.join("manifest.toml"), "type = \"programme\"", "type = \"programme-remarks\"");
    let report = world.mezhved(&["config", "check", "--json"]).done().json();
    let told = |file: &str| {
        let findings = report["findings"].as_array().unwrap();
        let about = findings.iter().filter(|f| f["file"] == file).map(|f| f["en"].as_str().unwrap());
        about.filter(|text| text.contains("translation-failed")).map(str::to_owned).collect::<Vec<_>>()
    };
    let police = told("participants/police.toml");
    assert_eq!(police.len(), 1, "{report}");
    let types = police[0].split_once("`police`: ").unwrap().1.split_once(';').unwrap().0;
    assert_eq!(types, "programme");
    assert!(told("participants/guardianship.toml").is_empty() && told("participants/register.toml").is_empty());
}

#[test]
fn versions_that_there_are_not_are_told_with_their_file() {
    let world = World::on(Backend::Sqlite).whole_region().prepare();
    let file = world.file("participants/guardianship.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    for (line, says) in [
        ("versions = { termination = [] }", "participants/guardianship.toml:1:28: versions: `termination`"),
        ("versions = { termination = 0 }", "a version from 1 is needed"),
        ("versions = { \"Termination x\" = 1 }", "participants/guardianship.toml:1:"),
        ("versions = { termination = 9 }", "there is no schema for termination/9"),
        ("versions = { termintion = 1 }", "there is no schema for termintion/1"),
        ("versions = { termination = \"1\" }", "participants/guardianship.toml:1:"),
    ] {
        std::fs::write(&file, format!("{line}\n{good}")).unwrap();
        let told = world.mezhved(&["config", "check"]);
        assert_eq!(told.status, Some(1), "{line}");
        assert!((told.stdout.clone() + &told.stderr).contains(says), "{line}: {}{}", told.stdout, told.stderr);
    }
    // The police have templates for the first version only.
    let police = world.file("participants/police.toml");
    std::fs::write(&file, &good).unwrap();
    let text = std::fs::read_to_string(&police).unwrap();
    std::fs::write(&police, format!("versions = {{ termination = 2 }}\n{text}")).unwrap();
    let told = world.mezhved(&["config", "check"]);
    assert!((told.stdout + &told.stderr).contains("the adapter has no templates for it"));
    for line in ["versions = { termination = [1, 2], programme = 2 }", ""] {
        std::fs::write(&police, &text).unwrap();
        std::fs::write(&file, format!("{line}\n{good}")).unwrap();
        let report = world.mezhved(&["config", "check", "--json"]).done().json();
        let told =
            report["findings"].as_array().unwrap().iter().any(|f| f["en"].to_string().contains("version-unsupported"));
        assert!(!told, "{report}");
    }
}

#[test]
fn of_a_regulation_that_nobody_uses_only_errors_are_told() {
    let about = |world: &World| {
        let report = world.mezhved(&["config", "check", "--json"]).json();
        let findings = report["findings"].as_array().unwrap().clone();
        let of_model = findings.into_iter().filter(|f| f["file"].as_str().unwrap().ends_with("model.toml"));
        of_model.map(|f| f["severity"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let world = World::on(Backend::Sqlite).whole_region().prepare();
    assert!(about(&world).is_empty());
    copy_folder(&project("config/regulations"), &world.file("regulations"));
    edit(&world.file("regulations/model.toml"), "calendar = \"ru\"", "calendar = \"de\"");
    assert_eq!(about(&world), ["error"]);
    for id in ["health", "education", "police", "guardianship", "employment", "register"] {
        std::fs::remove_file(world.file(&format!("participants/{id}.toml"))).unwrap();
    }
    assert!(about(&world).contains(&"warning".to_owned()), "before anybody takes part all is told");
}

#[test]
fn a_message_is_checked_against_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let good = write("good.xml", bodies::request("guardianship-act"));
    mezhved(&["schema", "check", &good]).done();
    let wrong = write("wrong.xml", bodies::replaced(&bodies::request("guardianship-act"), "1948-01-09", "1948-13-09"));
    let digits = write("digits.xml", bodies::replaced(&bodies::request("guardianship-act"), "202 22", "202 23"));
    let absent = folder.path().join("absent.xml").to_str().unwrap().to_owned();
    for (file, named) in [
        (&wrong, &["wrong.xml:16", "birthDate"][..]),
        (&digits, &["digits.xml:17", "snils"]),
        (&absent, &["absent.xml"]),
    ] {
        let refused = mezhved(&["schema", "check", &good, file]);
        assert_eq!(refused.status, Some(1), "{refused}");
        for place in named {
            assert!(refused.stderr.contains(place), "no `{place}` in {refused}");
        }
        assert!(!refused.stderr.contains("1948-13-09") && !refused.stderr.contains("202 23"), "a value in {refused}");
    }
}

#[test]
fn adapters_are_tested_by_their_samples() {
    let all = mezhved(&["adapter", "test"]).done();
    for name in ["education", "employment", "guardianship", "health", "police"] {
        assert!(all.stdout.contains(name), "{all}");
    }
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("police");
    copy_folder(&project("adapters/police"), &own);
    mezhved(&["adapter", "test", own.to_str().unwrap()]).done();
    edit(&own.join("samples/document-request/minimal.partner.xml"), "n=\"452\"", "n=\"453\"");
    let refused = mezhved(&["adapter", "test", own.to_str().unwrap()]);
    assert_eq!(refused.status, Some(1), "{refused}");
    assert!(refused.stderr.contains("minimal") && refused.stderr.contains("453"), "{refused}");
}
