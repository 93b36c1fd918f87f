//! Conversions between versions: what both carry survives, and nothing is lost that is not listed.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::adapter::golden::xml_lines;
use crate::adapter::{ConversionSet, Converted, check_conversions};

const FOLDER: &str = "conversions/termination/1-2/";

fn embedded() -> (Files, Catalogue) {
    let files: Files = bundle::embedded()
        .into_iter()
        .filter(|(path, _)| path.starts_with("conversions/") || path.starts_with("schemas/"))
        .collect();
    let catalogue = Catalogue::from_files(&files).unwrap();
    (files, catalogue)
}

fn typed(name: &str, version: u32) -> MessageType {
    MessageType::new(name, version).unwrap()
}

fn convert(
    set: &ConversionSet,
    catalogue: &Catalogue,
    body: &str,
    name: &str,
    (from, to): (u32, u32),
) -> Result<Converted, AdapterError> {
    let (from, to) = (typed(name, from), typed(name, to));
    set.convert(body.as_bytes(), (&from, &to), &HeaderView::sample(&from), catalogue)
}

const RICH: &str = "<Termination xmlns=\"urn:mezhved:social:termination:2\"><number>1</number>\
    <decidedAt>2026-08-20T12:00:00+03:00</decidedAt><decidedBy>Центр</decidedBy><endsOn>2026-08-31</endsOn>\
    <ground>breach-by-family</ground></Termination>";

#[test]
fn a_broken_folder_is_refused_with_its_place() {
    let (files, catalogue) = embedded();
    let down = "templates/down.xml";
    for (path, from, to, place) in [
        ("manifest.toml", "[up]", "[upward]", "1-2/manifest.toml:5: unknown field"),
        ("manifest.toml", "\"up.xml\"", "\"away.xml\"", "manifest.toml:6: there is no template `away.xml`"),
        ("manifest.toml", "\"words.csv\"", "\"word.csv\"", "there is no file `word.csv`"),
        ("grounds.csv", "1,2,way", "canonical,partner,way", "grounds.csv:1: the columns `1` and `2` are needed"),
        ("words.csv", "\n", "\nx,result-reached,in\n", "words.csv:6: the code `result-reached` is there twice in `2`"),
        (down, "{% endif %}", "", "1-2/templates/down.xml:"),
        (down, "{{ ground |", "{{ ground ~ ground |", "the operator `~`"),
    ] {
        let mut changed = files.clone();
        let path = format!("{FOLDER}{path}");
        let text = String::from_utf8(changed[&path].clone()).unwrap();
        assert!(text.contains(from), "{path}: {from}");
        changed.insert(path, text.replacen(from, to, 1).into_bytes());
        let errors = ConversionSet::from_files(&changed, &catalogue).unwrap_err();
        assert!(errors[0].to_string().contains(place), "{place}: {errors:?}");
    }
    for (folder, place) in [
        ("conversions/termination/2-3", "there is no schema for termination/3"),
        ("conversions/termination/2-1", "must be conversions/TYPE/LOWER-HIGHER"),
        ("conversions/nothing/1-2", "there is no schema for nothing/1"),
        ("conversions/receipt/1-2", "technical"),
    ] {
        let mut more = files.clone();
        more.insert(
            format!("{folder}/manifest.toml"),
            b"title = \"\"\ntitle-en = \"\"\nup = { template = \"up.xml\" }".to_vec(),
        );
        let errors = ConversionSet::from_files(&more, &catalogue).unwrap_err();
        assert!(errors[0].to_string().contains(place), "{place}: {errors:?}");
    }
}

#[test]
fn a_folder_without_samples_or_with_a_wrong_one_fails() {
    let (files, catalogue) = embedded();
    let check = |edit: &dyn Fn(&mut Files)| {
        let mut files = files.clone();
        edit(&mut files);
        let set = ConversionSet::from_files(&files, &catalogue).unwrap();
        let results = check_conversions(&set, &files, &catalogue);
        let told = results
            .iter()
            .filter(|r| !r.passed())
            .map(|r| format!("{} {} {} {:?}\n", r.adapter, r.message_type, r.case, r.outcome));
        told.collect::<String>()
    };
    assert_eq!(check(&|_| ()), "");
    let none = check(&|files| files.retain(|path, _| !path.starts_with(&format!("{FOLDER}samples/"))));
    assert!(none.starts_with("conversions/termination/1-2") && none.contains("no golden samples"), "{none}");
    let half = check(&|files| drop(files.remove(&format!("{FOLDER}samples/rich.1.xml"))));
    assert!(half.contains("a sample is `….1.xml` and `….2.xml`"), "{half}");
    let wrong = check(&|files| {
        let rich = files[&format!("{FOLDER}samples/rich.2.xml")].clone();
        let text = String::from_utf8(rich).unwrap().replace("2026-11-30", "2026-12-31");
        files.insert(format!("{FOLDER}samples/rich.2.xml"), text.into_bytes());
    });
    assert!(wrong.contains("termination/2 to termination/1 rich") && wrong.contains("31.12.2026"), "{wrong}");
}

#[test]
fn what_is_not_carried_is_listed_or_refused() {
    let (mut files, catalogue) = embedded();
    let set = ConversionSet::from_files(&files, &catalogue).unwrap();
    let converted = convert(&set, &catalogue, RICH, "termination", (2, 1)).unwrap();
    assert_eq!(converted.not_carried, ["termination/2: decidedBy"], "what was not there is not listed");
    let manifest = format!("{FOLDER}manifest.toml");
    let text = String::from_utf8(files[&manifest].clone()).unwrap();
    files.insert(manifest, text.replace("\"decidedBy\", ", "").into_bytes());
    let set = ConversionSet::from_files(&files, &catalogue).unwrap();
    let error = convert(&set, &catalogue, RICH, "termination", (2, 1)).unwrap_err();
    assert_eq!(error.kind, AdapterErrorKind::Template);
    assert!(error.to_string().contains("templates/down.xml: no line reads /Termination/decidedBy;"), "{error}");
    // A result that the other version's schema refuses is no result.
    let long = "у".repeat(3990);
    let body = RICH.replace("</ground>", &format!("</ground><groundText>{long}</groundText>"));
    let error = convert(&set, &catalogue, &body.replace("<decidedBy>Центр</decidedBy>", ""), "termination", (2, 1))
        .unwrap_err();
    assert_eq!(error.kind, AdapterErrorKind::Output, "{error}");
    assert!(error.to_string().contains("groundText"), "{error}");
}

/// A third version that is made of the second: one step each.
fn three() -> (Files, Catalogue) {
    let (mut files, _) = embedded();
    let text = |files: &Files, path: &str| String::from_utf8(files[path].clone()).unwrap();
    let schema = text(&files, "schemas/social/termination/2/termination.xsd").replace("termination:2", "termination:3");
    files.insert("schemas/social/termination/3/termination.xsd".to_owned(), schema.into_bytes());
    let all = "{{ body.copy('number', 'decidedAt', 'decidedBy', 'endsOn', 'contractNumber', 'request', 'ground', 'groundText', \
               'recommendations', 'observation', 'observationUntil') }}";
    for (way, to) in [("up", 3), ("down", 2)] {
        let template = format!("<Termination xmlns=\"urn:mezhved:social:termination:{to}\">{all}</Termination>");
        files.insert(format!("conversions/termination/2-3/templates/{way}.xml"), template.into_bytes());
    }
    let manifest =
        "title = \"\"\ntitle-en = \"\"\nup = { template = \"up.xml\" }\ndown = { template = \"down.xml\" }\n";
    files.insert("conversions/termination/2-3/manifest.toml".to_owned(), manifest.as_bytes().to_vec());
    let catalogue = Catalogue::from_files(&files).unwrap();
    (files, catalogue)
}

#[test]
fn the_shortest_way_to_a_version_that_is_taken() {
    let (files, catalogue) = three();
    let set = ConversionSet::from_files(&files, &catalogue).unwrap();
    let choose = |sent: u32, taken: &[u32]| {
        let taken: BTreeSet<u32> = taken.iter().copied().collect();
        set.choose(&typed("termination", sent), &taken).map(|t| t.version).map_err(|e| e.kind)
    };
    for (sent, taken, expected) in [
        (2, &[1, 2, 3][..], Ok(2)),
        (2, &[1, 3], Ok(3)),
        (3, &[1, 2], Ok(2)),
        (1, &[2, 3], Ok(2)),
        (3, &[1], Ok(1)),
        (3, &[4], Err(AdapterErrorKind::NoConversion)),
    ] {
        assert_eq!(choose(sent, taken), expected, "{sent} {taken:?}");
    }
    // Two steps, each with what it leaves out.
    let body = RICH.replace("termination:2", "termination:3");
    let converted = convert(&set, &catalogue, &body, "termination", (3, 1)).unwrap();
    assert_eq!(
        (converted.message_type, converted.not_carried),
        (typed("termination", 1), vec!["termination/2: decidedBy".to_owned()])
    );
}

#[test]
fn a_hostile_conversion_is_stopped() {
    let (files, catalogue) = embedded();
    let run = |template: &str, body: &str| {
        let mut files = files.clone();
        files.insert(format!("{FOLDER}templates/down.xml"), template.as_bytes().to_vec());
        let set = ConversionSet::from_files(&files, &catalogue).unwrap();
        convert(&set, &catalogue, body, "termination", (2, 1)).unwrap_err().to_string()
    };
    let text = RICH.replace("</ground>", &format!("</ground><groundText>{}</groundText>", "у".repeat(3000)));
    let all = "{% set a = body.copy('number') %}";
    for (template, reason) in [
        (
            "{% for a in 'aaaaaaaaaaaaaaaaaaaa' %}{% for b in 'aaaaaaaaaaaaaaaaaaaa' %}{% for c in 'aaaaaaaaaaaaaaaaaaaa' %}{% for d in 'aaaaaaaaaaaaaaaaaaaa' %}{% set x = body.copy('groundText') %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
            "bytes are copied",
        ),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested too deep"),
        (
            "<Termination xmlns='urn:mezhved:social:termination:1'>{{ body.copy('@number') }}</Termination>",
            "no line reads",
        ),
        ("{{ body.copy }}", "has no `copy`"),
    ] {
        let told = run(template, &text);
        assert!(told.contains(reason), "{template}: {told}");
    }
    assert!(run(all, &text).contains("no line reads"));
    // Adapters have other names for everything, so that nothing can be copied there.
    let mut sixth = sixth();
    let out = String::from_utf8(sixth["adapters/youth/templates/out.xml"].clone()).unwrap();
    sixth.insert(
        "adapters/youth/templates/out.xml".to_owned(),
        out.replace("{{ m.title }}", "{{ m.copy('title') }}").into_bytes(),
    );
    let set = AdapterSet::from_files(&sixth).unwrap();
    let of = typed(REPORT, 1);
    let error = set.get("youth").unwrap().to_partner(&of, report(1).as_bytes(), &HeaderView::sample(&of)).unwrap_err();
    assert!(error.to_string().contains("no method `copy`"), "{error}");
}

/// Text with everything that markup could trip over.
fn text() -> impl Strategy<Value = String> {
    "[а-яА-Я<>&\"'{}%#a-z0-9]([а-яА-Я <>&\"'{}%#a-z0-9]{0,20}[а-яА-Я<>&\"'{}%#a-z0-9])?"
}

fn element(name: &str, value: Option<&String>) -> String {
    let escape = |text: &String| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    value.map(|v| format!("<{name}>{}</{name}>", escape(v))).unwrap_or_default()
}

fn termination() -> impl Strategy<Value = String> {
    const GROUNDS: [&str; 9] =
        ["programme-done", "term-ended", "citizen-wish", "breach", "moved", "death", "court", "no-need", "other"];
    let some = || proptest::option::of(text());
    (proptest::sample::select(&GROUNDS[..]), text(), some(), proptest::option::of(proptest::bool::ANY)).prop_map(
        |(ground, words, advice, observed)| {
            let observed = observed.map(|yes| yes.to_string());
            format!(
                "<Termination xmlns=\"urn:mezhved:social:termination:1\"><number>1</number>\
                 <decidedAt>2026-08-20T12:00:00+03:00</decidedAt><endsOn>2026-08-31</endsOn><ground>{ground}</ground>{}{}{}\
                 </Termination>",
                element("groundText", Some(&words)),
                element("recommendations", advice.as_ref()),
                element("observation", observed.as_ref())
            )
        },
    )
}

type Planned = (&'static str, String, Option<String>, Option<String>);

fn programme() -> impl Strategy<Value = String> {
    let kind = proptest::sample::select(vec!["medical", "social", "legal"]);
    let mark = proptest::option::of(Just("help-given".to_owned()));
    let measure = (kind, text(), proptest::option::of(text()), mark);
    proptest::collection::vec(measure, 1..6).prop_map(|measures| {
        let of = |(number, (kind, title, outside, mark)): (usize, &Planned)| {
            let who = outside.as_ref().map_or("<responsible>health</responsible>".to_owned(), |o| element("outside", Some(o)));
            format!(
                "<measure><number>{number}</number><helpKind>{kind}</helpKind>{}{who}<beginsOn>2026-05-18</beginsOn>\
                 <dueOn>2026-05-19</dueOn>{}</measure>",
                element("title", Some(title)),
                element("mark", mark.as_ref())
            )
        };
        let measures: String = measures.iter().enumerate().map(of).collect();
        format!(
            "<Programme xmlns=\"urn:mezhved:social:programme:1\"><number>1</number><version>1</version><status>draft</status>\
             <beginsOn>2026-05-18</beginsOn><endsOn>2026-11-17</endsOn><measures>{measures}</measures></Programme>"
        )
    })
}

fn application(files: &Files) -> impl Strategy<Value = String> {
    let sample = String::from_utf8(files["schemas/social/application/1/samples/family.xml"].clone()).unwrap();
    text().prop_map(move |words| {
        let (before, rest) = sample.split_once("<circumstances>").unwrap();
        let (_, after) = rest.split_once("</circumstances>").unwrap();
        format!("{before}{}{after}", element("circumstances", Some(&words)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Up and down again nothing is lost, and what is in both versions is the same in the higher one.
    #[test]
    fn what_both_versions_carry_survives(which in 0..3usize, ended in termination(), planned in programme(), asked in application(&bundle::embedded())) {
        let set = CONVERSIONS.get_or_init(|| {
            let (files, catalogue) = embedded();
            (ConversionSet::from_files(&files, &catalogue).unwrap(), catalogue)
        });
        let (set, catalogue) = (&set.0, &set.1);
        let (name, body) = [("termination", ended), ("programme", planned), ("application", asked)].into_iter().nth(which).unwrap();
        catalogue.validate(&typed(name, 1), body.as_bytes()).unwrap();
        let higher = convert(set, catalogue, &body, name, (1, 2)).unwrap();
        prop_assert!(higher.not_carried.is_empty());
        let same = body.replace(&format!("{name}:1"), &format!("{name}:2"));
        prop_assert_eq!(xml_lines(&higher.body).unwrap(), xml_lines(same.as_bytes()).unwrap());
        let text = String::from_utf8(higher.body).unwrap();
        let back = convert(set, catalogue, &text, name, (2, 1)).unwrap();
        prop_assert!(back.not_carried.is_empty());
        prop_assert_eq!(xml_lines(&back.body).unwrap(), xml_lines(body.as_bytes()).unwrap());
    }
}

static CONVERSIONS: std::sync::OnceLock<(ConversionSet, Catalogue)> = std::sync::OnceLock::new();
