//! The engine as a whole: adapters of files only, hostile ones among them.

mod folders;
mod hostile;
mod property;
mod round_trip;
mod travel;

use super::*;
use crate::bundle::{self, Files};
use crate::schema::Catalogue;

const REPORT: &str = "progress-report";
const AGENCIES: [&str; 5] = ["education", "employment", "guardianship", "health", "police"];

/// An agency that exists in this test only: youth affairs, which report on progress in two lines.
fn sixth() -> Files {
    let mut files: Files = bundle::embedded().into_iter().filter(|(path, _)| path.starts_with("schemas/")).collect();
    for (path, text) in [
        (
            "manifest.toml",
            r#"title = "Молодёжь"
title-en = "Youth"
form = "xml"
[code-lists]
results = "results.csv"
[[message]]
type = "progress-report"
version = 1
schema = "youth.xsd"
root = "Y"
namespace = "urn:youth"
to-partner = { template = "out.xml", not-carried = ["outgoingNumber", "preparer", "cases/case/measures/measure/note", "cases/case/measures/measure/helpKind", "cases/case/measures/measure/number"] }
to-canonical = { template = "in.xml" }
"#,
        ),
        ("results.csv", "canonical,partner\nin-progress,go\nhelp-given,ok\n"),
        (
            "youth.xsd",
            r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:y="urn:youth" targetNamespace="urn:youth" elementFormDefault="qualified">
<xs:element name="Y"><xs:complexType><xs:sequence>
<xs:element name="c" maxOccurs="9"><xs:complexType><xs:sequence>
<xs:element name="m" maxOccurs="99"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">
<xs:attribute name="r" type="xs:string" use="required"/><xs:attribute name="d" type="xs:string" use="required"/>
</xs:extension></xs:simpleContent></xs:complexType></xs:element>
</xs:sequence><xs:attribute name="id" type="xs:string" use="required"/></xs:complexType></xs:element>
</xs:sequence><xs:attribute name="p" use="required" type="xs:string"/><xs:attribute name="o" use="required" type="xs:string"/></xs:complexType></xs:element>
</xs:schema>"#,
        ),
        (
            "templates/out.xml",
            r#"<Y xmlns="urn:youth" p="{{ body.period }}" o="{{ body.organisation }}">
{% for c in body.all('cases/case') %}<c id="{{ c.caseId }}">
  {% for m in c.all('measures/measure') %}<m r="{{ m.result | code('results') }}" d="{{ m.date }}">{{ m.title }}</m>{% endfor %}
</c>{% endfor %}</Y>"#,
        ),
        (
            "templates/in.xml",
            r#"<ProgressReport xmlns="urn:mezhved:social:progress-report:1"><period>{{ body.p }}</period><organisation>{{ body.o }}</organisation><cases>
{% for c in body.all('c') %}<case><caseId>{{ c.id }}</caseId><measures>
  {% for m in c.all('m') %}<measure><title>{{ m.text() }}</title><result>{{ m.r | code('results') }}</result><date>{{ m.d }}</date></measure>{% endfor %}
</measures></case>{% endfor %}</cases></ProgressReport>"#,
        ),
        ("samples/progress-report/one.canonical.xml", &report(2)),
        (
            "samples/progress-report/one.partner.xml",
            r#"<Y xmlns="urn:youth" p="2026-05" o="Дом"><c id="01931f6e-7a00-7000-8000-00000000ca5e"><m r="ok" d="2026-05-20">Кружок 1</m><m r="ok" d="2026-05-20">Кружок 2</m></c></Y>"#,
        ),
    ] {
        files.insert(format!("adapters/youth/{path}"), text.as_bytes().to_vec());
    }
    files
}

fn report(measures: usize) -> String {
    let rows: String = (1..=measures)
        .map(|n| {
            format!("<measure><title>Кружок {n}</title><result>help-given</result><date>2026-05-20</date></measure>")
        })
        .collect();
    format!(
        "<ProgressReport xmlns='urn:mezhved:social:progress-report:1'><period>2026-05</period><organisation>Дом</organisation>\
         <cases><case><caseId>01931f6e-7a00-7000-8000-00000000ca5e</caseId><measures>{rows}</measures></case></cases></ProgressReport>"
    )
}

fn catalogue(files: &Files) -> Catalogue {
    Catalogue::from_files(files).unwrap()
}

fn kind(name: &str) -> (MessageType, HeaderView) {
    let message_type = MessageType::new(name, 1).unwrap();
    let header = HeaderView::sample(&message_type);
    (message_type, header)
}

/// The sixth agency with another `out.xml`: what becomes of a report with so many measures.
fn out_with(template: &str, measures: usize) -> Result<String, AdapterError> {
    let mut files = sixth();
    files.insert("adapters/youth/templates/out.xml".to_owned(), template.as_bytes().to_vec());
    let set = AdapterSet::from_files(&files).map_err(|mut e| e.remove(0))?;
    let (message_type, header) = kind(REPORT);
    match set.get("youth").unwrap().to_partner(&message_type, report(measures).as_bytes(), &header)? {
        PartnerBody::Xml(bytes) => Ok(String::from_utf8(bytes).unwrap()),
        PartnerBody::Payload { .. } => unreachable!(),
    }
}

/// The sixth agency's own body, translated.
fn back(body: &str) -> Result<String, AdapterError> {
    let files = sixth();
    let set = AdapterSet::from_files(&files).unwrap();
    let (message_type, header) = kind(REPORT);
    let bytes = set.get("youth").unwrap().to_canonical(
        &message_type,
        PartnerBodyRef::Xml(body.as_bytes()),
        &header,
        &catalogue(&files),
    )?;
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn a_sixth_agency_is_a_new_folder() {
    let files = sixth();
    let set = AdapterSet::from_files(&files).unwrap();
    let results = check_golden(set.get("youth").unwrap(), &files, &catalogue(&files));
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(GoldenResult::passed), "{results:?}");
}

#[test]
fn the_built_in_adapters_translate_as_their_samples_say() {
    let files = bundle::embedded();
    let set = AdapterSet::from_files(&files).unwrap();
    let catalogue = catalogue(&files);
    assert_eq!(AGENCIES.iter().filter(|name| set.get(name).is_none()).count(), 0);
    for adapter in set.iter() {
        let results = check_golden(adapter, &files, &catalogue);
        let named = ["document-request", "document-response", REPORT];
        for name in named.into_iter().filter(|_| AGENCIES.contains(&adapter.name())) {
            for direction in [Direction::ToPartner, Direction::ToCanonical] {
                let tried = |r: &&GoldenResult| r.message_type == name && r.direction == Some(direction);
                assert!(results.iter().filter(tried).count() >= 2, "{} {name} {direction}", adapter.name());
            }
        }
        for result in results {
            assert!(result.passed(), "{result:?}");
        }
    }
}

#[test]
fn a_partners_body_that_is_not_the_partners_is_refused() {
    let good = r#"<Y xmlns="urn:youth" p="2026-05" o="Дом"><c id="01931f6e-7a00-7000-8000-00000000ca5e"><m r="ok" d="2026-05-20">К</m></c></Y>"#;
    assert!(back(good).is_ok());
    use AdapterErrorKind::{CodeMissing, Input, NotCanonical};
    for (body, kind, reason) in [
        (good.replace("urn:youth", "urn:other"), Input, "the root element must be `Y`"),
        (good.replace("<c ", "<c xmlns='urn:other' "), Input, "/Y/c: the namespace `urn:other`"),
        (good.replace(" o=\"Дом\"", ""), Input, "line 1"),
        (good.replace("<m ", "<!-- x --><m "), Input, "comment-forbidden"),
        (format!("<!DOCTYPE Y>{good}"), Input, "dtd-forbidden"),
        (good.replace("</Y>", ""), Input, "not-xml"),
        (good.replace("r=\"ok\"", "r=\"Z\""), CodeMissing, "partner's code `Z`"),
        (good.replace("2026-05-20", "20.05.2026"), NotCanonical, "templates/in.xml: the result: line 1, element date"),
        (good.replace("<m ", "<m q='1' "), Input, "line 1"),
    ] {
        let error = back(&body).unwrap_err();
        assert_eq!(error.kind, kind, "{body}: {error}");
        assert!(error.to_string().contains(reason), "{body}: {error}");
        let fault = if kind == CodeMissing { FaultCode::TranslationFailed } else { FaultCode::SchemaInvalid };
        assert_eq!(kind.fault_code(), fault, "{body}");
    }
}

#[test]
fn a_partners_value_that_no_schema_forbids_is_the_senders_to_mend() {
    let files = bundle::embedded();
    let (set, catalogue) = (AdapterSet::from_files(&files).unwrap(), catalogue(&files));
    let body =
        String::from_utf8(files["adapters/police/samples/document-request/minimal.partner.xml"].clone()).unwrap();
    let wrong = body.replace("999-000-202 22", "999-000-202 23").replace("99900020222", "99900020223");
    assert_ne!(body, wrong);
    let (message_type, header) = kind("document-request");
    let police = set.get("police").unwrap();
    let error = police.to_canonical(&message_type, PartnerBodyRef::Xml(wrong.as_bytes()), &header, &catalogue);
    let error = error.unwrap_err();
    assert_eq!((error.kind, error.kind.fault_code()), (AdapterErrorKind::ContentInvalid, FaultCode::ContentInvalid));
    assert!(error.reason.contains("snils") && !error.reason.contains("999"), "{error}");
}

#[test]
fn bodies_in_the_wrong_frame_or_of_another_type_are_refused() {
    let files = bundle::embedded();
    let (set, catalogue) = (AdapterSet::from_files(&files).unwrap(), catalogue(&files));
    let sample = |path: &str| files[&format!("adapters/{path}")].clone();
    let police = sample("police/samples/document-request/minimal.partner.xml");
    let employment = sample("employment/samples/document-request/minimal.partner.json");
    let health = sample("health/samples/document-response/minimal.partner.xml");
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let json = |bytes| PartnerBodyRef::Payload { media_type: "application/json", bytes };
    use AdapterErrorKind::{Input, Template, TypeNotCarried};
    for (adapter, name, body, kind_wanted) in [
        ("police", "document-request", json(&police), Input),
        ("police", "document-response", PartnerBodyRef::Xml(&police), Input),
        ("police", "application", PartnerBodyRef::Xml(&police), TypeNotCarried),
        ("employment", "document-request", PartnerBodyRef::Xml(&employment), Input),
        (
            "employment",
            "document-request",
            PartnerBodyRef::Payload { media_type: "text/plain", bytes: &employment },
            Input,
        ),
        ("employment", "document-response", json(&employment), Input),
        ("employment", "document-request", json(deep.as_bytes()), Input),
        ("health", "document-request", PartnerBodyRef::Xml(&health), Template),
        ("guardianship", "document-request", json(&employment), Input),
        ("guardianship", "document-request", PartnerBodyRef::Xml(&police), Input),
    ] {
        let (message_type, header) = kind(name);
        let error = set.get(adapter).unwrap().to_canonical(&message_type, body, &header, &catalogue).unwrap_err();
        assert_eq!(error.kind, kind_wanted, "{adapter} {name}: {error}");
    }
}
