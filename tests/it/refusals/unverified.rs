//! Refused before a signature was verified: a bland signed fault for nobody it could name.

use std::process::Command;
use std::time::{Duration, Instant};

use mezhved::crypto::sha256;
use mezhved::domain::{Digest, Header, Via};
use mezhved::envelope::technical::{FaultReport, RefusedDigest};
use mezhved::envelope::{self, BodyDraft};
use uuid::Uuid;

use super::{Case, good, good_text, only_refusals, patient_world, refused};
use crate::support::run;
use crate::world::{Agency, Answer, GATEWAY, World, bodies::replaced, now, participant};

/// Posts the cases, and checks that each fault tells nothing but its code.
fn check(world: &World, cases: &[Case]) {
    for case in cases {
        let answer = refused(world, case);
        let said: FaultReport = told_to_nobody(&answer);
        assert_eq!(said.digest, Some(RefusedDigest::Bytes(sha256(&case.bytes))), "{}", case.name);
    }
    only_refusals(world, cases.len());
}

fn told_to_nobody(answer: &Answer) -> FaultReport {
    let opened = answer.opened();
    assert_eq!((opened.header.recipient.as_str(), opened.header.in_reply_to), (GATEWAY, None));
    let said: FaultReport = opened.technical();
    assert_eq!(
        (said.message_id, said.detail.as_deref()),
        (None, None),
        "an unverified peer is told nothing but the code"
    );
    said
}

#[test]
fn what_is_no_plain_xml() {
    let world = patient_world().start();
    let text = good_text(&world);
    let with = |from: &str, to: &str| replaced(&text, from, to);
    let mut not_utf8 = with("Прошу", "@@").into_bytes();
    let place = not_utf8.windows(2).position(|pair| pair == b"@@").unwrap();
    not_utf8[place] = 0xFF;
    check(
        &world,
        &[
            Case::new("not XML", "Добрый день!", 400, "not-xml"),
            Case::new("nothing", "", 400, "not-xml"),
            Case::new("cut off", &text.as_bytes()[..text.len() / 2], 400, "not-xml"),
            Case::new("a DTD", format!("<!DOCTYPE Envelope>{text}"), 400, "dtd-forbidden"),
            Case::new(
                "an external entity",
                format!("<!DOCTYPE e [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{text}"),
                400,
                "dtd-forbidden",
            ),
            Case::new("a comment in a text", with("Прошу", "Про<!-- не -->шу"), 400, "comment-forbidden"),
            Case::new("a processing instruction", with("Прошу", "<?php x?>Прошу"), 400, "pi-forbidden"),
            Case::new(
                "encoding=windows-1251",
                format!("<?xml version=\"1.0\" encoding=\"windows-1251\"?>{text}"),
                400,
                "encoding-forbidden",
            ),
            Case::new("XML 1.1", format!("<?xml version=\"1.1\" encoding=\"UTF-8\"?>{text}"), 400, "xml-version"),
            Case::new("not UTF-8", not_utf8, 400, "not-utf8"),
            Case::new(
                "an xsi:type",
                with("<gist>", "<gist xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"x\">"),
                400,
                "xsi-forbidden",
            ),
            Case::new("another root", "<Envelope xmlns=\"urn:other\" Id=\"a\"/>", 400, "not-envelope"),
        ],
    );
}

#[test]
fn megabytes_of_nesting_are_refused_at_once() {
    let world = patient_world().start();
    let nested = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    let mib = 1024 * 1024;
    let cases = [
        Case::new("10 MB of nesting", "<a>".repeat(10 * mib / 3), 413, "too-large"),
        Case::new("7 MB of nesting", nested(mib), 400, "too-many-nodes"),
        Case::new("1 MB of nesting", nested(mib / 7), 400, "too-deep"),
        Case::new("1 MB of elements that never end", "<a>".repeat(mib / 3), 400, "too-deep"),
        Case::new(
            "7 MB of elements side by side",
            format!("<a>{}</a>", "<b/>".repeat(7 * mib / 4)),
            400,
            "too-many-nodes",
        ),
    ];
    for case in &cases {
        let begun = Instant::now();
        told_to_nobody(&refused(&world, case));
        assert!(begun.elapsed() < Duration::from_secs(5), "{}: {:?}", case.name, begun.elapsed());
    }
    only_refusals(&world, cases.len());
}

#[test]
fn broken_and_foreign_signatures() {
    let world = patient_world().expired("police").start();
    let text = good_text(&world);
    let with = |from: &str, to: &str| replaced(&text, from, to);
    let (register, health, police) = (world.agency("register"), world.agency("health"), world.agency("police"));
    let signature = &text[text.find("<ds:Signature ").unwrap()..text.find("</e:Envelope>").unwrap()];
    let key_info = &text[text.find("<ds:KeyInfo>").unwrap()..text.find("</ds:Signature>").unwrap()];
    let by_health = String::from_utf8(health.sign(&good(&world))).unwrap();
    let hint = &by_health[by_health.find("<ds:KeyInfo>").unwrap()..by_health.find("</ds:Signature>").unwrap()];
    let stranger = Agency::generate(world.folder(), "stranger");
    let mut ended = good(&world);
    ended.header.sender = police.id.clone();
    let unsigned = String::from_utf8(envelope::compose(&good(&world)).unwrap()).unwrap();
    check(
        &world,
        &[
            Case::new("no signature", unsigned, 401, "signature-missing"),
            Case::new("a body changed after signing", with("Прошу", "Прощу"), 401, "digest-mismatch"),
            Case::new("a header changed after signing", with("normal", "urgent"), 401, "digest-mismatch"),
            Case::new("a signature over a part only", over_a_part(&world), 401, "signature-policy"),
            Case::new(
                "two signatures",
                with("</e:Envelope>", &format!("{signature}</e:Envelope>")),
                401,
                "signature-many",
            ),
            Case::new(
                "an algorithm outside of the list",
                with("ecdsa-sha256", "ecdsa-sha1"),
                401,
                "algorithm-forbidden",
            ),
            Case::new(
                "an unknown sender",
                stranger.sign(&stranger.draft("guardianship", "document-request", "<a xmlns=\"urn:a\"/>")),
                401,
                "sender-unknown",
            ),
            Case::new("another participant's certificate", health.sign(&good(&world)), 401, "certificate-unknown"),
            Case::new(
                "another participant's key without a hint",
                replaced(&by_health, hint, ""),
                401,
                "signature-invalid",
            ),
            Case::new(
                "another participant's key with the sender's certificate",
                replaced(&by_health, hint, key_info),
                401,
                "signature-invalid",
            ),
            Case::new("an expired certificate", police.sign(&ended), 401, "certificate-expired"),
            Case::new("a stranger's certificate", stranger.sign(&good(&world)), 401, "certificate-unknown"),
        ],
    );
    // The same text as it was is good.
    world.post(register.sign(&good(&world))).receipt();
}

/// A signature that any verifier finds valid, but only over the body.
fn over_a_part(world: &World) -> Vec<u8> {
    let mut part = good(world);
    let BodyDraft::Xml(body) = part.body else { panic!("a body of XML") };
    let body = replaced(&String::from_utf8(body).unwrap(), "<DocumentRequest ", "<DocumentRequest Id=\"part\" ");
    part.body = BodyDraft::Xml(body.into_bytes());
    let unsigned = String::from_utf8(envelope::compose(&part).unwrap()).unwrap();
    let template = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
        <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
        <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"/>\
        <ds:Reference URI=\"#part\"><ds:Transforms>\
        <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
        <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>\
        <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/></ds:Reference>\
        </ds:SignedInfo><ds:SignatureValue/></ds:Signature></e:Envelope>";
    let (file, signed) = (world.file("part.xml"), world.file("part-signed.xml"));
    std::fs::write(&file, replaced(&unsigned, "</e:Envelope>", template)).unwrap();
    let id = ["--id-attr:Id", "urn:mezhved:social:document-request:1:DocumentRequest"];
    let register = world.agency("register");
    let mut sign = Command::new("xmlsec1");
    sign.args(["--sign", "--privkey-pem"]).arg(&register.key_file).arg("--output").arg(&signed).args(id).arg(&file);
    run(&mut sign).done();
    let mut verify = Command::new("xmlsec1");
    verify.args(["--verify", "--pubkey-cert-pem"]).arg(&register.certificate_file).args(id).arg(&signed);
    run(&mut verify).done();
    std::fs::read(signed).unwrap()
}

#[test]
fn elements_wrapped_around_a_good_signature() {
    let world = patient_world().start();
    let text = good_text(&world);
    let start = text.find("<e:Envelope").unwrap();
    let id = text.split("Id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let signature = text[text.find("<ds:Signature ").unwrap()..text.find("</e:Envelope>").unwrap()].to_owned();
    let signed_content = replaced(&text[start..], &signature, "");
    let forged_content = replaced(&replaced(&signed_content, "Прошу", "Требую"), &id, "_forged");
    let end = "</e:Envelope>";
    let forged = |body_end: &str, signature: &str| {
        let open = forged_content.strip_suffix(&format!("</e:Body>{end}")).unwrap();
        format!("{open}{body_end}</e:Body>{signature}{end}")
    };
    let in_request = |wrapped: &str| {
        let hidden = format!("<hidden>{wrapped}</hidden></DocumentRequest>");
        replaced(&forged("", &signature), "</DocumentRequest>", &hidden)
    };
    let object = |content: &str| {
        replaced(&signature, "</ds:Signature>", &format!("<ds:Object>{content}</ds:Object></ds:Signature>"))
    };
    let same_id = replaced(&in_request(&signed_content), "_forged", &id);
    check(
        &world,
        &[
            Case::new(
                "the signed envelope inside the forged one's body",
                in_request(&signed_content),
                401,
                "signature-policy",
            ),
            Case::new(
                "the signed envelope inside its signature",
                forged("", &object(&signed_content)),
                401,
                "signature-policy",
            ),
            Case::new(
                "the signed envelope beside the forged body",
                forged(&signed_content, &signature),
                400,
                "not-envelope",
            ),
            Case::new("both with one Id", same_id, 400, "duplicate-id"),
            Case::new(
                "an Id twice",
                replaced(&text, "<DocumentRequest ", &format!("<DocumentRequest Id=\"{id}\" ")),
                400,
                "duplicate-id",
            ),
            Case::new("the whole message inside an element", format!("<w>{}</w>", &text[start..]), 400, "not-envelope"),
        ],
    );
}

#[test]
fn headers_that_no_participant_may_write() {
    let world = patient_world().start();
    let changed = |change: &dyn Fn(&mut Header)| {
        let mut draft = good(&world);
        change(&mut draft.header);
        world.agency("register").sign(&draft)
    };
    let via = Via { gateway: participant(GATEWAY), accepted_at: now(), digest: Digest::from_bytes([7; 32]) };
    let text = good_text(&world);
    let id = text.split("<e:MessageId>").nth(1).unwrap().split('<').next().unwrap();
    // The library would not sign such a header; the form is judged before the signature.
    let other_id = replaced(&text, &format!(">{id}<"), &format!(">{}<", Uuid::new_v4()));
    check(
        &world,
        &[
            Case::new("Via sent by a participant", changed(&|h| h.via = Some(via.clone())), 400, "header-invalid"),
            Case::new(
                "DerivedFrom sent by a participant",
                changed(&|h| h.derived_from = Some(h.message_id)),
                400,
                "header-invalid",
            ),
            Case::new("an id of version 4", other_id, 400, "header-invalid"),
            Case::new("an unknown priority", replaced(&text, ">normal<", ">fast<"), 400, "header-invalid"),
            Case::new(
                "an unknown field",
                replaced(&text, "<e:Priority>", "<e:Colour>red</e:Colour><e:Priority>"),
                400,
                "header-invalid",
            ),
            Case::new("a sender that is no id", replaced(&text, ">register<", ">../register<"), 400, "header-invalid"),
        ],
    );
}
