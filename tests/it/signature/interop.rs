//! Signatures agree both ways with xmlsec1, signxml and, for Ed25519, which neither knows, with lxml and cryptography.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use mezhved::crypto::{FileSigner, KeyKind, SignatureAlgorithm};
use mezhved::domain::{Digest, Fault, FaultCode};
use mezhved::envelope::{self, Body, BodyDraft, Draft};
use serde_json::json;

use super::kit::{
    BODY, Key, base64, draft, full_header, header, judge, judge_with, key, key_with, now, oracle, unbase64,
};

/// Every kind of key with every algorithm that it can make but Ed25519.
static KEYS: LazyLock<Vec<(String, Key)>> = LazyLock::new(|| {
    let mut keys = Vec::new();
    for kind in [KeyKind::Rsa, KeyKind::P256, KeyKind::P384] {
        for algorithm in SignatureAlgorithm::all().filter(|a| a.fits(kind)) {
            keys.push((format!("{} {algorithm:?}", kind.as_str()), key_with(kind, algorithm)));
        }
    }
    assert_eq!(keys.len(), 9);
    keys
});

/// Three envelopes: plain, with every header field, with a payload.
fn drafts() -> Vec<Draft> {
    let payload = BodyDraft::Payload { media_type: "application/json".to_owned(), bytes: b"{\"a\": 1}".to_vec() };
    vec![
        draft(),
        Draft { header: full_header(), body: BodyDraft::Xml(BODY.as_bytes().to_vec()) },
        Draft { header: header(), body: payload },
    ]
}

fn xmlsec1(folder: &Path, args: &[&str]) -> (bool, String) {
    let output =
        Command::new("xmlsec1").args(args).current_dir(folder).output().expect("xmlsec1 is needed for the tests");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const ID_ATTRIBUTE: [&str; 2] = ["--id-attr:Id", "urn:mezhved:envelope:1:Envelope"];

#[test]
fn xmlsec1_verifies_what_is_signed_here_and_refuses_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, key) in KEYS.iter() {
        for draft in drafts() {
            let signed = envelope::sign(&draft, &key.signer).unwrap();
            let verify = |bytes: &[u8]| {
                std::fs::write(folder.path().join("in.xml"), bytes).unwrap();
                std::fs::write(folder.path().join("cert.pem"), &key.certificate_pem).unwrap();
                let args = ["--verify", "--trusted-pem", "cert.pem", ID_ATTRIBUTE[0], ID_ATTRIBUTE[1], "in.xml"];
                xmlsec1(folder.path(), &args)
            };
            let (good, words) = verify(&signed);
            assert!(good, "{name}: {words}");
            let changed = String::from_utf8(signed).unwrap().replace(">register<", ">registar<");
            assert!(!verify(changed.as_bytes()).0, "{name}: a changed envelope must not verify");
        }
    }
}

/// What an agency that signs with xmlsec1 puts before the envelope's end tag.
fn template(signature: SignatureAlgorithm, digest: &str, key_info: &str) -> String {
    format!(
        r##"
<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
  <ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
    <ds:SignatureMethod Algorithm="{}"/>
    <ds:Reference URI="#_01931f6e-7a00-7000-8000-000000000001">
      <ds:Transforms>
        <ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
        <ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
      </ds:Transforms>
      <ds:DigestMethod Algorithm="{digest}"/>
      <ds:DigestValue/>
    </ds:Reference>
  </ds:SignedInfo>
  <ds:SignatureValue/>
  {key_info}
</ds:Signature>
"##,
        signature.uri()
    )
}

#[test]
fn what_xmlsec1_signs_is_accepted_whatever_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let digests = [
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    ];
    let hint = "<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>";
    for (draft, key_info) in drafts().iter().zip([hint, "", hint]) {
        let unsigned = String::from_utf8(envelope::compose(draft).unwrap()).unwrap();
        let mut identities = Vec::new();
        for (i, (name, key)) in KEYS.iter().enumerate() {
            use mezhved::crypto::Signer as _;
            let signature = template(key.signer.algorithm(), digests[i % 3], key_info);
            let text = unsigned.replace("</e:Envelope>", &format!("{signature}</e:Envelope>"));
            std::fs::write(folder.path().join("in.xml"), text).unwrap();
            std::fs::write(folder.path().join("key.pem"), &key.key_pem).unwrap();
            std::fs::write(folder.path().join("cert.pem"), &key.certificate_pem).unwrap();
            let args = [
                "--sign",
                "--privkey-pem",
                "key.pem,cert.pem",
                "--output",
                "out.xml",
                ID_ATTRIBUTE[0],
                ID_ATTRIBUTE[1],
                "in.xml",
            ];
            let (good, words) = xmlsec1(folder.path(), &args);
            assert!(good, "{name}: {words}");
            let signed = std::fs::read(folder.path().join("out.xml")).unwrap();
            identities
                .push(judge(&signed, std::slice::from_ref(&key.certificate)).unwrap_or_else(|e| panic!("{name}: {e}")));
            let changed = String::from_utf8(signed).unwrap().replace(">register<", ">registar<");
            let fault = judge(changed.as_bytes(), std::slice::from_ref(&key.certificate)).unwrap_err();
            assert_eq!(fault.code, FaultCode::DigestMismatch, "{name}");
        }
        assert!(
            identities.windows(2).all(|pair| pair[0] == pair[1]),
            "one content, one digest, whoever signs and however"
        );
    }
}

#[test]
fn signxml_verifies_what_is_signed_here() {
    let mut jobs = Vec::new();
    for (name, key) in KEYS.iter() {
        for draft in drafts() {
            let signed = envelope::sign(&draft, &key.signer).unwrap();
            jobs.push((name.clone(), json!({ "xml": base64(&signed), "certificate": key.certificate_pem })));
        }
    }
    let answers = oracle("signxml_verify", &jobs.iter().map(|(_, job)| job.clone()).collect());
    for ((name, _), answer) in jobs.iter().zip(&answers) {
        assert_eq!(answer, "{urn:mezhved:envelope:1}Envelope", "{name}");
    }
}

#[test]
fn what_signxml_signs_is_accepted() {
    let mut jobs = Vec::new();
    let mut certificates = Vec::new();
    for (_, key) in KEYS.iter().step_by(3) {
        let family = if key.certificate.key_kind() == Ok(KeyKind::Rsa) { "rsa" } else { "ecdsa" };
        for size in ["256", "384", "512"] {
            for draft in drafts() {
                let xml = base64(&envelope::compose(&draft).unwrap());
                jobs.push(json!({
                    "xml": xml, "key": key.key_pem, "certificate": key.certificate_pem,
                    "signature": format!("{family}-sha{size}"), "digest": format!("sha{size}"),
                }));
                certificates.push(key.certificate.clone());
            }
        }
    }
    let answers = oracle("signxml_sign", &json!(jobs));
    for ((job, answer), certificate) in jobs.iter().zip(&answers).zip(certificates) {
        judge(&unbase64(answer), &[certificate]).unwrap_or_else(|e| panic!("{}: {e}", job["signature"]));
    }
}

#[test]
fn ed25519_agrees_both_ways_with_lxml_and_cryptography() {
    let key = key(KeyKind::Ed25519);
    let jobs = |make: &dyn Fn(&Draft) -> Vec<u8>| {
        let job =
            |d: &Draft| json!({ "xml": base64(&make(d)), "key": key.key_pem, "certificate": key.certificate_pem });
        serde_json::Value::from(drafts().iter().map(job).collect::<Vec<_>>())
    };
    let verdicts = oracle("ed25519_verify", &jobs(&|d| envelope::sign(d, &key.signer).unwrap()));
    assert_eq!(verdicts, [true, true, true]);
    for (draft, signed) in drafts().iter().zip(oracle("ed25519_sign", &jobs(&|d| envelope::compose(d).unwrap()))) {
        let theirs = judge(&unbase64(&signed), std::slice::from_ref(&key.certificate)).unwrap();
        let ours = judge(&envelope::sign(draft, &key.signer).unwrap(), std::slice::from_ref(&key.certificate)).unwrap();
        assert_eq!(theirs, ours);
    }
}

/// The key of RFC 8032, 7.1, test 1, in PKCS#8. Ed25519 draws no randomness, so one draft has one signature for ever.
const RFC8032_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpgoRB3KLFWbYaLagQcCyxExBnvLFZtf+Bg
-----END PRIVATE KEY-----
";

#[test]
fn ed25519_keeps_its_own_vector() {
    let signed = {
        let certificate = self_signed(RFC8032_KEY);
        let signer = FileSigner::from_pem(RFC8032_KEY.as_bytes(), &certificate).unwrap();
        envelope::sign(&draft(), &signer).unwrap()
    };
    let text = String::from_utf8(signed).unwrap();
    let value = |name: &str| {
        let start = text.find(&format!("<ds:{name}>")).unwrap() + name.len() + 5;
        text[start..].split('<').next().unwrap().to_owned()
    };
    assert_eq!(value("DigestValue"), "0gLyy0ejU+9A9wDPqD15x13dqwjLT8s5bBGgnz96xXk=");
    let expected = "IFUWDut63Jau4Nq6SZNbpy4Ko5TMTRpjr4zJq4BNh1jRd8SzUBumxv0SEYMIcW7vs4kHU7ig9Z2bM4ioMW6QCw==";
    assert_eq!(value("SignatureValue"), expected);
}

/// A certificate for a given key.
fn self_signed(key_pem: &str) -> Vec<u8> {
    use openssl::{asn1::Asn1Time, hash::MessageDigest, nid::Nid, pkey::PKey, x509::X509, x509::X509NameBuilder};
    let key = PKey::private_key_from_pem(key_pem.as_bytes()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "vector").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(4_000_000_000).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::null()).unwrap();
    builder.build().to_pem().unwrap()
}

#[test]
fn everything_written_is_read_back_the_same() {
    let key = key(KeyKind::P256);
    for draft in drafts() {
        let signed = envelope::sign(&draft, &key.signer).unwrap();
        let found = judge_with(&signed, std::slice::from_ref(&key.certificate), now(), |v| {
            let body = match v.body() {
                Body::Xml(node) => BodyDraft::Xml(mezhved::xml::canonical_bytes(*node, None)),
                Body::Payload { media_type, bytes } => {
                    BodyDraft::Payload { media_type: media_type.clone(), bytes: bytes.clone() }
                }
            };
            assert_eq!(v.signed_by(), key.certificate.thumbprint());
            (v.header().clone(), body)
        });
        let (header, body) = found.unwrap();
        assert_eq!(header, draft.header);
        let expected = match &draft.body {
            BodyDraft::Xml(bytes) => BodyDraft::Xml(canonical(bytes)),
            payload @ BodyDraft::Payload { .. } => payload.clone(),
        };
        assert_eq!(body, expected);
    }
}

fn canonical(bytes: &[u8]) -> Vec<u8> {
    let document = mezhved::xml::read(bytes, &mezhved::xml::Limits::default()).unwrap();
    mezhved::xml::canonical_bytes(document.root(), None)
}

/// What the gateway does when its certificate has ended: the same unsigned content, another key.
#[test]
fn a_copy_signed_anew_has_the_same_content_digest() {
    let unsigned = envelope::compose(&draft()).unwrap();
    let digest = |kind: KeyKind| -> Result<Digest, Fault> {
        let key = key(kind);
        judge(&envelope::sign_composed(&unsigned, &key.signer).unwrap().bytes, &[key.certificate])
    };
    let first = digest(KeyKind::P256).unwrap();
    assert_eq!(digest(KeyKind::Rsa).unwrap(), first);
    assert_eq!(digest(KeyKind::Ed25519).unwrap(), first);
}
