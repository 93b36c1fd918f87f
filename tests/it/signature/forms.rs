//! Envelopes of a wrong form, and what is changed, respelled or attached, each with its exact code.

use mezhved::domain::FaultCode;
use mezhved::envelope;

use super::kit::{draft, judge};
use super::policy::*;

/// The name of the defect, the whole document before it is forged, and the code.
fn whole_documents() -> Vec<(&'static str, String, FaultCode)> {
    use FaultCode::{DuplicateId, HeaderInvalid, NotEnvelope, SignatureMany, SignatureMissing, SignaturePolicy};
    let good = with_signature(&good_signature());
    let signature = good_signature();
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let evil = unsigned().replace("register", "registar");
    let inside = format!("<w xmlns=\"urn:w\">{good}</w></e:Body>");
    let body_start = evil.find("<p:DocumentRequest").unwrap();
    let body_end = evil.find("</e:Body>").unwrap();
    let wrapped = format!("{}{inside}</e:Envelope>", &evil[..body_start]);
    let moved = good.replace(&signature, "");
    let wrapper = |id: &str| {
        let outer = format!("{}<w xmlns=\"urn:w\">{moved}</w>{}", &evil[..body_start], &evil[body_end..]);
        outer
            .replacen(&format!("Id=\"{ID}\""), id, 1)
            .replace("</w></e:Body></e:Envelope>", &format!("</w></e:Body>{signature}</e:Envelope>"))
    };
    vec![
        ("no signature", unsigned(), SignatureMissing),
        ("two signatures", good.replace("</e:Envelope>", &format!("{signature}</e:Envelope>")), SignatureMany),
        ("a second signature in the body", swap("<p:gist>", &format!("{signature}<p:gist>")), SignatureMany),
        (
            "a signature before the header",
            moved.replace("<e:Header>", &format!("{signature}<e:Header>")),
            SignatureMissing,
        ),
        ("a signature before the body", moved.replace("<e:Body>", &format!("{signature}<e:Body>")), SignatureMissing),
        ("a signature inside the body", moved.replace("<p:gist>", &format!("{signature}<p:gist>")), SignatureMissing),
        (
            "an element after the signature",
            swap("</e:Envelope>", "<x xmlns=\"urn:x\"/></e:Envelope>"),
            SignatureMissing,
        ),
        ("a header after the signature", swap("</e:Envelope>", "<e:Header/></e:Envelope>"), SignatureMissing),
        ("text after the signature", swap("</e:Envelope>", "x</e:Envelope>"), NotEnvelope),
        ("wrapped whole into another body", wrapped.replacen(ID, "_evil", 1), SignatureMissing),
        ("wrapped whole into another body, one Id twice", wrapped, DuplicateId),
        ("wrapped, the signature taken out, one Id twice", wrapper(&format!("Id=\"{ID}\"")), DuplicateId),
        ("wrapped, the signature taken out, another Id", wrapper("Id=\"_evil\""), SignaturePolicy),
        ("an Id of the body like the root's", swap("<p:gist>", &format!("<p:gist Id=\"{ID}\">")), DuplicateId),
        ("an id of the body like the root's", swap("<p:gist>", &format!("<p:gist id=\"{ID}\">")), DuplicateId),
        ("an ID of the body like the root's", swap("<p:gist>", &format!("<p:gist ID=\"{ID}\">")), DuplicateId),
        ("an xml:id of the body like the root's", swap("<p:gist>", &format!("<p:gist xml:id=\"{ID}\">")), DuplicateId),
        ("two Ids alike in the body", swap("<p:gist>", "<p:a Id=\"x\"/><p:b Id=\"x\"/><p:gist>"), DuplicateId),
        ("no Id", swap(&format!(" Id=\"{ID}\""), ""), NotEnvelope),
        ("an Id with a colon", swap(&format!(" Id=\"{ID}\""), " Id=\"a:b\""), NotEnvelope),
        ("an Id that begins with a digit", swap(&format!(" Id=\"{ID}\""), " Id=\"1\""), NotEnvelope),
        (
            "an unknown attribute of the root",
            swap(&format!(" Id=\"{ID}\""), &format!(" Id=\"{ID}\" a=\"\"")),
            NotEnvelope,
        ),
        ("another namespace", good.replace("urn:mezhved:envelope:1", "urn:mezhved:envelope:2"), NotEnvelope),
        ("two bodies", swap("<e:Body>", "<e:Body><x xmlns=\"urn:x\"/></e:Body><e:Body>"), NotEnvelope),
        ("two headers", swap("<e:Header>", "<e:Header/><e:Header>"), NotEnvelope),
        ("a body of two elements", swap("</e:Body>", "<x xmlns=\"urn:x\"/></e:Body>"), NotEnvelope),
        ("a body with text", swap("</e:Body>", "x</e:Body>"), NotEnvelope),
        (
            "an empty body",
            format!("{}{}", &good[..good.find("<p:Doc").unwrap()], &good[good.find("</e:Body>").unwrap()..]),
            NotEnvelope,
        ),
        (
            "a body without a namespace",
            swap("xmlns:p=\"urn:mezhved:social:document-request:1\"", "xmlns:p=\"urn:mezhved:envelope:1\""),
            NotEnvelope,
        ),
        ("an unknown header field", swap("<e:Priority>", "<e:Extra/><e:Priority>"), HeaderInvalid),
        (
            "a header field of another namespace",
            swap("<e:Priority>", "<x xmlns=\"urn:x\"/><e:Priority>"),
            HeaderInvalid,
        ),
        ("a header field twice", swap("<e:Sender>", "<e:Sender>health</e:Sender><e:Sender>"), HeaderInvalid),
        ("header fields out of order", swap("<e:Type>", "<e:Priority>normal</e:Priority><e:Type>"), HeaderInvalid),
        ("an element in a header field", swap("<e:Type>", "<e:Type><e:a/>"), HeaderInvalid),
        ("an attribute of a header field", swap("<e:Type>", "<e:Type a=\"\">"), HeaderInvalid),
        ("a space in a header field", swap("<e:Type>", "<e:Type> "), HeaderInvalid),
        ("a message id of another version", good.replace("01931f6e-7a00-7000", "01931f6e-7a00-4000"), HeaderInvalid),
        ("a version of nothing", swap("<e:Version>1<", "<e:Version>0<"), HeaderInvalid),
        ("a version with a sign", swap("<e:Version>1<", "<e:Version>+1<"), HeaderInvalid),
        ("a priority of nobody", swap("<e:Priority>normal<", "<e:Priority>high<"), HeaderInvalid),
        ("an instant without a zone", swap("05:00:00.000Z<", "05:00:00.000<"), HeaderInvalid),
        ("an instant with a space", swap("T05:00:00.000Z<", " 05:00:00.000Z<"), HeaderInvalid),
        ("a leap second", swap("T05:00:00.000Z<", "T23:59:60Z<"), HeaderInvalid),
        ("a day that is not", swap("2026-05-06T", "2026-02-30T"), HeaderInvalid),
    ]
}

#[test]
fn every_other_form_of_an_envelope_is_refused_by_its_code() {
    for (name, text, code) in whole_documents() {
        let fault = judge(&forge(&text, &OWN), std::slice::from_ref(&OWN.certificate)).expect_err(name);
        assert_eq!(fault.code, code, "{name}: {fault}");
    }
}

/// What is replaced after signing, and by what; each breaks the digest.
#[test]
fn whatever_is_changed_after_signing_is_found() {
    let signed = String::from_utf8(envelope::sign(&draft(), &OWN.signer).unwrap()).unwrap();
    for (from, to) in [
        ("семьи", "семей"),
        (">register<", ">registar<"),
        (">normal<", ">emergency<"),
        ("<plain xmlns=\"\">", "<plain xmlns=\"urn:q\">"),
        ("<p:item>2</p:item>", ""),
        ("<p:list>", "<p:list> "),
        ("kind=", "kinds="),
        ("&#10;", " "),
        ("urn:mezhved:social:document-request:1", "urn:mezhved:social:document-request:2"),
    ] {
        assert!(signed.contains(from), "{from}");
        let fault = judge(signed.replacen(from, to, 1).as_bytes(), std::slice::from_ref(&OWN.certificate)).unwrap_err();
        assert_eq!(fault.code, FaultCode::DigestMismatch, "{from}: {fault}");
    }
    // A digest made to fit does not help: it is signed itself.
    let other = forge(&with_signature(&good_signature()).replace("семьи", "семей"), &OWN);
    let other = String::from_utf8(other).unwrap();
    let value = |text: &str, name: &str| {
        let start = text.find(&format!("<ds:{name}>")).unwrap();
        text[start..].split("</").next().unwrap().to_owned()
    };
    let grafted = other.replace(&value(&other, "SignatureValue"), &value(&signed, "SignatureValue"));
    let fault = judge(grafted.as_bytes(), std::slice::from_ref(&OWN.certificate)).unwrap_err();
    assert_eq!(fault.code, FaultCode::SignatureInvalid);
}

/// Which spellings may change without breaking the signature: the canonical form is the same.
#[test]
fn another_spelling_of_the_same_content_still_verifies() {
    let signed = String::from_utf8(envelope::sign(&draft(), &OWN.signer).unwrap()).unwrap();
    let digest = judge(signed.as_bytes(), std::slice::from_ref(&OWN.certificate)).unwrap();
    for (from, to) in [
        ("<p:item/>", "<p:item></p:item>"),
        ("<p:item>2<", "<p:item ><![CDATA[2]]><"),
        ("&amp;", "&#x26;"),
        ("Id=", "  Id ="),
        ("<e:Envelope", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<e:Envelope"),
        ("</e:Envelope>", "</e:Envelope >\n"),
    ] {
        assert!(signed.contains(from), "{from}");
        assert_eq!(
            judge(signed.replacen(from, to, 1).as_bytes(), std::slice::from_ref(&OWN.certificate)).unwrap(),
            digest,
            "{from}"
        );
    }
}

#[test]
fn an_inline_attachment_must_be_as_its_entry_says() {
    let full = super::kit::full_header();
    let draft = |change: &dyn Fn(&mut mezhved::domain::Attachment)| {
        let mut header = full.clone();
        change(&mut header.attachments[0]);
        header.attachments.truncate(1);
        envelope::sign(&envelope::Draft { header, ..draft() }, &OWN.signer).unwrap()
    };
    let own = [OWN.certificate.clone()];
    judge(&draft(&|_| ()), &own).unwrap();
    let changes: [fn(&mut mezhved::domain::Attachment); 2] =
        [|a| a.size_bytes += 1, |a| a.inline = Some(b"%PDF-1.8".to_vec())];
    for change in changes {
        assert_eq!(judge(&draft(&change), &own).unwrap_err().code, FaultCode::AttachmentInvalid);
    }
}

/// A draft whose body is not one element of its own namespace is not signed.
#[test]
fn what_no_reader_would_accept_is_not_signed() {
    use envelope::{BodyDraft, Draft, SignError};
    let sign = |body: &str| envelope::sign(&Draft { body: BodyDraft::Xml(body.into()), ..draft() }, &OWN.signer);
    for (body, code) in [
        ("", FaultCode::NotEnvelope),
        ("text", FaultCode::NotEnvelope),
        ("<a/>", FaultCode::NotEnvelope),
        ("<a xmlns='urn:a'/><a xmlns='urn:a'/>", FaultCode::NotEnvelope),
        ("<a xmlns='urn:a'/></e:Body><e:Body>", FaultCode::NotEnvelope),
        ("<a xmlns='urn:a'>", FaultCode::NotXml),
        ("<!DOCTYPE a><a xmlns='urn:a'/>", FaultCode::DtdForbidden),
        ("<a xmlns='urn:a'><!-- --></a>", FaultCode::CommentForbidden),
    ] {
        match sign(body) {
            Err(SignError::Refused(fault)) => assert_eq!(fault.code, code, "{body}: {fault}"),
            other => panic!("{body}: {other:?}"),
        }
    }
    let declared = sign("\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n<a xmlns='urn:a'/>\n").unwrap();
    judge(&declared, std::slice::from_ref(&OWN.certificate)).unwrap();
    assert!(matches!(
        envelope::sign_composed(&envelope::sign(&draft(), &OWN.signer).unwrap(), &OWN.signer),
        Err(SignError::Refused(fault)) if fault.code == FaultCode::SignatureMany
    ));
}

/// A body in canonical form is signed without reading the whole again, and what comes out is what reading it would have given.
#[test]
fn a_canonical_body_is_signed_as_it_is() {
    use envelope::{BodyDraft, Draft};
    let bodies = [
        "<a xmlns=\"urn:a\"><b xmlns=\"\" c=\"&lt;&quot;&#xA;\">x &amp; y &gt;&#xD;</b></a>",
        "<p:a xmlns:p=\"urn:a\"><b></b><p:c z=\"1\"></p:c></p:a>",
        // The prefix of the envelope, for the same namespace and for another: the first stands in its canonical form no more.
        "<a xmlns=\"urn:a\"><e:b xmlns:e=\"urn:mezhved:envelope:1\"></e:b></a>",
        "<e:a xmlns:e=\"urn:a\"></e:a>",
    ];
    for body in bodies {
        let draft = Draft { body: BodyDraft::Xml(body.into()), ..draft() };
        let sealed = envelope::sign_canonical(&draft, &OWN.signer).unwrap();
        let unsigned = envelope::compose(&draft).unwrap();
        assert_eq!(sealed.digest, envelope::sign_composed(&unsigned, &OWN.signer).unwrap().digest, "{body}");
        judge(&sealed.bytes, std::slice::from_ref(&OWN.certificate)).unwrap();
        assert_eq!(envelope::without_signature(&sealed.bytes), Ok(unsigned), "{body}");
    }
}
