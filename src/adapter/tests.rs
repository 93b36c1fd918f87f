//! The engine as a whole: adapters of files only, hostile ones among them.

use proptest::prelude::*;

use super::golden::xml_lines;
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
fn the_five_agencies_translate_as_their_samples_say() {
    let files = bundle::embedded();
    let set = AdapterSet::from_files(&files).unwrap();
    let catalogue = catalogue(&files);
    assert_eq!(set.iter().map(|a| a.name()).collect::<Vec<_>>(), AGENCIES);
    for adapter in set.iter() {
        let results = check_golden(adapter, &files, &catalogue);
        for name in ["document-request", "document-response", REPORT] {
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
fn a_template_that_goes_wrong_is_told_by_file_line_and_reason() {
    let nested = |inside: &str, depth: usize| {
        let open = "{% for a in body.all('cases/case/measures/measure') %}".repeat(depth);
        format!("<Y xmlns='urn:youth'>{open}{inside}{}</Y>", "{% endfor %}".repeat(depth))
    };
    use AdapterErrorKind::{CodeMissing, Folder, Output, Template};
    let doubled: String =
        (1..60).map(|n| format!("{{% set a{n} %}}{{{{ a{} }}}}{{{{ a{} }}}}{{% endset %}}", n - 1, n - 1)).collect();
    let table: Vec<(String, AdapterErrorKind, Option<usize>, &str)> = vec![
        (nested("", 5), Template, Some(1), "steps; is there a loop without end"),
        (format!("{{% set a0 = body.period %}}{doubled}"), Template, Some(1), "wrote more than"),
        (nested(&"x".repeat(500), 3), Template, None, "wrote more than"),
        (format!("{{% set x %}}{}{{% endset %}}{{{{ x }}}}", nested("{{ body.organisation }}", 4)), Template, Some(1), "steps"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".to_owned(), Template, Some(1), "nested too deep"),
        ("\n{{ body.organization }}".to_owned(), Template, Some(2), "/ProgressReport: has no `organization`"),
        ("{{ bdoy.organisation }}".to_owned(), Template, Some(1), "not defined"),
        ("{{ header.secret }}".to_owned(), Template, Some(1), "not defined"),
        ("{{ body.organisation | shout }}".to_owned(), Template, Some(1), "filter shout is unknown"),
        ("{{ body.cases }}".to_owned(), Template, Some(1), "/ProgressReport/cases: is an element with parts"),
        ("{{ body.cases.case.measures.measure }}".to_owned(), Template, Some(1), "there 3 times"),
        ("{{ body.opt('outgoingNumber') }}".to_owned(), Template, Some(1), "absent"),
        ("{{ body.organisation | date('dd.mm.yyyy') }}".to_owned(), Template, Some(1), "dd.mm.yyyy"),
        ("{{ body.first('x') }}".to_owned(), Template, Some(1), "no method `first`"),
        ("{{ fail('as the author says') }}".to_owned(), Template, Some(1), "as the author says"),
        ("{{ 'no-right' | code('results') }}".to_owned(), CodeMissing, Some(1), "`no-right` has no counterpart in the code list `results`"),
        ("{{ 'x' | code('other') }}".to_owned(), Template, Some(1), "no code list `other`"),
        ("{% include 'none.xml' %}".to_owned(), Template, Some(1), "non-existing template 'none.xml'"),
        ("{% include '/etc/passwd' %}".to_owned(), Template, Some(1), "non-existing template"),
        ("<Y xmlns='urn:youth' p='1' o='2'/>".to_owned(), Template, None, "no line reads /ProgressReport/period"),
        ("{{ a ~ a }}".to_owned(), Folder, Some(1), "`~`"),
        ("\n\n{% if %}".to_owned(), Folder, Some(3), "unexpected"),
        (nested("{{ a.title }}{{ a.result }}{{ a.date }}", 1), Template, None, "no line reads"),
        (
            "{% set r %}{{ body.period }}{{ body.organisation }}{% for c in body.all('cases/case') %}{{ c.caseId }}{% for m in c.all('measures/measure') %}{{ m.title }}{{ m.result }}{{ m.date }}{% endfor %}{% endfor %}{% endset %}<Y xmlns='urn:youth'/>".to_owned(),
            Output,
            None,
            "the result: line 1",
        ),
    ];
    for (template, kind, line, reason) in table {
        let error =
            out_with(&template, if reason.contains("steps") || reason.contains("wrote") { 90 } else { 3 }).unwrap_err();
        assert_eq!((error.kind, error.line), (kind, line), "{template}: {error}");
        assert!(error.reason.contains(reason), "{template}: {error}");
        assert_eq!(error.file, "adapters/youth/templates/out.xml", "{error}");
    }
}

#[test]
fn an_error_in_an_included_file_names_that_file() {
    let mut files = sixth();
    files.insert(
        "adapters/youth/templates/lib.xml".to_owned(),
        b"\n{% macro m(b) %}\n{{ b.nothing }}{% endmacro %}".to_vec(),
    );
    files.insert("adapters/youth/templates/part.xml".to_owned(), b"\n{{ body.nothing }}".to_vec());
    for (template, place) in [
        ("{% from 'lib.xml' import m %}\n\n\n{{ m(body) }}", "adapters/youth/templates/lib.xml:3: "),
        ("\n\n\n{% include 'part.xml' %}", "adapters/youth/templates/part.xml:2: "),
    ] {
        files.insert("adapters/youth/templates/out.xml".to_owned(), template.as_bytes().to_vec());
        let set = AdapterSet::from_files(&files).unwrap();
        let (message_type, header) = kind(REPORT);
        let error = set.get("youth").unwrap().to_partner(&message_type, report(1).as_bytes(), &header).unwrap_err();
        assert!(error.to_string().starts_with(place), "{error}");
    }
}

#[test]
fn errors_hold_no_values_of_the_body() {
    for misuse in [
        "{{ body.organisation.x }}",
        "{{ body.organisation | number }}",
        "{{ body.organisation | flag }}",
        "{{ body.organisation - 1 }}",
        "{{ -body.organisation }}",
        "{{ body.organisation() }}",
        "{{ body.organisation.opt('x') }}",
        "{{ body.organisation | part('-', 7) }}",
        "{{ body.organisation | without_prefix('urn:') }}",
        "{% for c in body.organisation %}{% if c is oneof(1) %}{% endif %}{% endfor %}{{ c }}",
        "{% include body.organisation %}",
        "{% set x = header[body.organisation] %}{{ x }}",
        "<Y xmlns='urn:youth'>{{ body.organisation }}<",
        "<Y xmlns='urn:youth' o='{{ body.organisation }}' p='{{ body.period }}'>{% for c in body.all('cases/case') %}{{ c.caseId }}{% for m in c.all('measures/measure') %}{{ m.title }}{{ m.result }}{{ m.date }}{% endfor %}{% endfor %}</Y>",
    ] {
        let error = out_with(misuse, 1).unwrap_err();
        assert!(!error.to_string().contains("Дом") && !error.to_string().contains("Кружок"), "{misuse}: {error}");
    }
}

#[test]
fn a_partners_body_that_is_not_the_partners_is_refused() {
    let good = r#"<Y xmlns="urn:youth" p="2026-05" o="Дом"><c id="01931f6e-7a00-7000-8000-00000000ca5e"><m r="ok" d="2026-05-20">К</m></c></Y>"#;
    assert!(back(good).is_ok());
    use AdapterErrorKind::{CodeMissing, Input, Output};
    for (body, kind, reason) in [
        (good.replace("urn:youth", "urn:other"), Input, "the root element must be `Y`"),
        (good.replace("<c ", "<c xmlns='urn:other' "), Input, "/Y/c: the namespace `urn:other`"),
        (good.replace(" o=\"Дом\"", ""), Input, "line 1"),
        (good.replace("<m ", "<!-- x --><m "), Input, "comments"),
        (format!("<!DOCTYPE Y>{good}"), Input, "not well-formed"),
        (good.replace("</Y>", ""), Input, "not well-formed"),
        (good.replace("r=\"ok\"", "r=\"Z\""), CodeMissing, "partner's code `Z`"),
        (good.replace("2026-05-20", "20.05.2026"), Output, "the result: line 1"),
        (good.replace("<m ", "<m q='1' "), Input, "line 1"),
    ] {
        let error = back(&body).unwrap_err();
        assert_eq!(error.kind, kind, "{body}: {error}");
        assert!(error.reason.contains(reason), "{body}: {error}");
    }
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

#[test]
fn a_folder_that_is_wrong_is_told_by_file_and_line() {
    let edit = |path: &str, from: &str, to: &str| {
        let mut files = sixth();
        let path = format!("adapters/youth/{path}");
        let text = String::from_utf8(files[&path].clone()).unwrap();
        assert!(text.contains(from), "{from}");
        files.insert(path, text.replacen(from, to, 1).into_bytes());
        AdapterSet::from_files(&files).unwrap_err()
    };
    for (path, from, to, place) in [
        ("manifest.toml", "title-en", "title-eng", "manifest.toml:2: unknown field"),
        ("manifest.toml", "form = \"xml\"", "form = \"yaml\"", "manifest.toml:3: "),
        ("manifest.toml", "\"xml\"", "\"json\"", "manifest.toml: the form `json` needs"),
        ("manifest.toml", "version = 1", "version = 0", "manifest.toml:6: "),
        ("manifest.toml", "progress-report", "receipt", "manifest.toml:6: receipt/1 is a technical message"),
        ("manifest.toml", "youth.xsd", "young.xsd", "manifest.toml:9: there is no file `young.xsd`"),
        ("manifest.toml", "results.csv", "result.csv", "manifest.toml:5: there is no file"),
        ("manifest.toml", "\"out.xml\"", "\"away.xml\"", "manifest.toml:12: there is no template `away.xml`"),
        ("manifest.toml", "root = \"Y\"", "", "manifest.toml:6: progress-report/1: `root` and `namespace`"),
        ("results.csv", "help-given,ok", "in-progress,ok", "results.csv:3: the canonical code"),
        ("youth.xsd", "type=\"xs:string\" use=\"required\"/><", "type=\"xs:strin\"/><", "youth.xsd"),
        ("templates/in.xml", "{% endfor %}", "", "templates/in.xml:"),
    ] {
        let errors = edit(path, from, to);
        let told = errors[0].to_string();
        assert!(told.starts_with(&format!("adapters/youth/{place}")), "{told}");
        assert_eq!(errors[0].kind, AdapterErrorKind::Folder);
    }
    let mut files = sixth();
    files.remove("adapters/youth/manifest.toml");
    assert_eq!(
        AdapterSet::from_files(&files).unwrap_err()[0].to_string(),
        "adapters/youth/manifest.toml: the file is missing"
    );
}

#[test]
fn samples_that_prove_nothing_fail() {
    let check = |change: &dyn Fn(&mut Files)| {
        let mut files = sixth();
        change(&mut files);
        let set = AdapterSet::from_files(&files).unwrap();
        let results = check_golden(set.get("youth").unwrap(), &files, &catalogue(&files));
        let reasons: Vec<String> = results.iter().filter(|r| !r.passed()).map(|r| format!("{:?}", r.outcome)).collect();
        reasons.join("\n")
    };
    let one = "adapters/youth/samples/progress-report/one";
    let none = check(&|files| files.retain(|path, _| !path.contains("/samples/")));
    assert!(none.contains("no golden samples"), "{none}");
    let half = check(&|files| drop(files.remove(&format!("{one}.partner.xml"))));
    assert!(half.contains("partner.json` is missing") && half.contains("no golden sample"), "{half}");
    let odd = check(&|files| drop(files.insert(format!("{one}.partnr.xml"), Vec::new())));
    assert!(odd.contains("`.partnr.xml` is not part"), "{odd}");
    let wrong = check(&|files| drop(files.insert(format!("{one}.canonical.xml"), report(3).into_bytes())));
    assert!(wrong.contains("differs") && wrong.contains("Кружок 3"), "{wrong}");
    let richer = report(2).replace("</date>", "</date><note>примечание</note>");
    let lossy = |files: &mut Files| drop(files.insert(format!("{one}.canonical.xml"), richer.clone().into_bytes()));
    assert!(check(&lossy).contains("differs"), "what the form cannot carry does not come back");
    let told = check(&|files| {
        lossy(files);
        files.insert(format!("{one}.back.xml"), report(2).into_bytes());
    });
    assert_eq!(told, "", "unless the sample says what comes back");
}

/// Text as people and scripts write it, with everything that templates and markup could trip over.
fn text() -> impl Strategy<Value = String> {
    "[а-яёА-Я<>&\"'\\\\{}%#\\]a-z0-9_=/][а-яА-Я <>&\"'\\\\{}%#\\]a-z0-9_=/]{0,20}[а-яА-Я<>&\"'\\\\{}%#\\]a-z0-9_=/]"
}

fn answer(kind: &'static str) -> impl Strategy<Value = String> {
    let escape = |t: &str| t.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let provided =
        (proptest::option::of(text()), proptest::collection::vec((text(), proptest::option::of(text())), 0..3))
            .prop_map(move |(number, fields)| {
                let number =
                    number.map(|n| format!("<documentNumber>{}</documentNumber>", escape(&n))).unwrap_or_default();
                let content = if fields.is_empty() {
                    "<attachment>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</attachment>".repeat(2)
                } else {
                    let field = |(value, title): &(String, Option<String>)| {
                        let title = title.as_ref().map(|t| format!("<title>{}</title>", escape(t))).unwrap_or_default();
                        format!(
                            "<field><name>f</name>{title}<value>{}\n{}</value></field>",
                            escape(value),
                            escape(value)
                        )
                    };
                    format!("<data>{}</data>", fields.iter().map(field).collect::<String>())
                };
                format!("<outcome>provided</outcome><provided>{number}{content}</provided>")
            });
    let other = prop_oneof![
        Just("<outcome>no-information</outcome>".to_owned()),
        Just("<outcome>refused</outcome><ground>no-legal-basis</ground>".to_owned()),
    ];
    (prop_oneof![provided, other], proptest::option::of(text())).prop_map(move |(outcome, note)| {
        let note = note.map(|n| format!("<note>{}</note>", escape(&n))).unwrap_or_default();
        format!("<answer><kind>{kind}</kind>{outcome}{note}</answer>")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_comes_back_from_every_agency_as_it_was(
        number in text(),
        first in answer("criminal-record"),
        second in proptest::option::of(answer("medical-conclusion")),
    ) {
        let number = number.replace('&', "&amp;").replace('<', "&lt;");
        let body = format!(
            "<DocumentResponse xmlns='urn:mezhved:social:document-response:1'><incomingNumber>{number}</incomingNumber>\
             <outgoingNumber>1</outgoingNumber><answers>{first}{}</answers></DocumentResponse>",
            second.unwrap_or_default()
        );
        static LOADED: std::sync::OnceLock<(AdapterSet, Catalogue)> = std::sync::OnceLock::new();
        let files = bundle::embedded();
        let (set, catalogue) = LOADED.get_or_init(|| (AdapterSet::from_files(&files).unwrap(), catalogue(&files)));
        let (message_type, header) = kind("document-response");
        catalogue.validate(&message_type, body.as_bytes()).unwrap();
        for adapter in set.iter() {
            let there = adapter.to_partner(&message_type, body.as_bytes(), &header).unwrap();
            let back = adapter.to_canonical(&message_type, there.as_ref(), &header, catalogue).unwrap();
            prop_assert_eq!(xml_lines(&back), xml_lines(body.as_bytes()), "{}", adapter.name());
        }
    }
}
