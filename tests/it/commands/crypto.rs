//! `key` and `envelope`.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::mezhved;
use crate::world::{Backend, World, bodies};

#[test]
fn a_key_is_made_for_its_owner_only_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("keys");
    for alg in ["rsa", "p256", "p384", "ed25519"] {
        let line = ["key", "generate", "--out", out.to_str().unwrap(), "--name", alg, "--alg", alg];
        mezhved(&line).done();
        let key = out.join(format!("{alg}.key.pem"));
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600, "{alg}");
        let before = std::fs::read(&key).unwrap();
        assert_eq!(mezhved(&line).status, Some(1), "{alg}");
        assert_eq!(std::fs::read(&key).unwrap(), before, "{alg}");
        let shown =
            mezhved(&["key", "show", out.join(format!("{alg}.cert.pem")).to_str().unwrap(), "--json"]).done().json();
        assert_eq!(shown["valid"], true, "{shown}");
    }
}

#[test]
fn an_envelope_is_signed_verified_shown_and_accepted() {
    let world = World::on(Backend::Sqlite).start();
    let register = world.agency("register");
    let path = |name: &str| world.file(name).to_str().unwrap().to_owned();
    let (body, out, changed) = (path("body.xml"), path("envelope.xml"), path("changed.xml"));
    std::fs::write(&body, bodies::request("guardianship-act")).unwrap();
    let (key, certificate) = (register.key_file.to_str().unwrap(), register.certificate_file.to_str().unwrap());
    let line = [
        "envelope",
        "sign",
        "--key",
        key,
        "--cert",
        certificate,
        "--type",
        "document-request",
        "--from",
        "register",
        "--to",
        "guardianship",
        "--body",
        &body,
        "--out",
        &out,
    ];
    mezhved(&line).done();

    let verified = mezhved(&["envelope", "verify", "--cert", certificate, &out]).done().json();
    let text = verified.to_string();
    assert!(text.contains("register") && text.contains("guardianship") && text.contains("document-request"), "{text}");
    let other = world.agency("health").certificate_file.to_str().unwrap();
    std::fs::write(&changed, bodies::replaced(&std::fs::read_to_string(&out).unwrap(), "Прошу", "Прощу")).unwrap();
    for (certificate, file, code) in [
        (certificate, &changed, "digest-mismatch"),
        (other, &out, "certificate-unknown"),
        (certificate, &body, "not-envelope"),
    ] {
        let refused = mezhved(&["envelope", "verify", "--cert", certificate, file]);
        assert!(refused.status == Some(1) && refused.stderr.contains(code), "{code}: {refused}");
    }
    mezhved(&["envelope", "show", &out]).done();
    world.post(std::fs::read(&out).unwrap()).receipt();
    // A mistake is told before anything is written.
    let out = path("absent.xml");
    let refused = mezhved(&[&line[..15], &[out.as_str()], &["--id", "1"]].concat());
    assert!(refused.status != Some(0) && !world.file("absent.xml").exists(), "{refused}");
}
