//! Templates that go wrong, by mistake or on purpose.

use super::*;

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
        (nested("", 5), Template, Some(1), "more steps than"),
        (format!("{{% set a0 = body.period %}}{doubled}"), Template, Some(1), "wrote more than"),
        (nested(&"x".repeat(500), 3), Template, None, "wrote more than"),
        (format!("{{% set x %}}{}{{% endset %}}{{{{ x }}}}", nested("{{ body.organisation }}", 4)), Template, Some(1), "more steps than"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".to_owned(), Template, Some(1), "nested too deep"),
        (
            "{% for c in body.all('cases') recursive %}{{ loop(body.all('cases')) }}{% endfor %}".to_owned(),
            Template,
            Some(1),
            "nested too deep",
        ),
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
        let error = out_with(&template, if reason.contains("more steps") || reason.contains("wrote") { 90 } else { 3 })
            .unwrap_err();
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
