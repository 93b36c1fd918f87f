//! Every type and version, by every valid sample; random bodies are in `adapter::tests::property`.

use super::programme::{Programme, Responsible};
use super::*;
use crate::bundle::{self, Files};
use crate::domain::FaultCode;
use crate::schema::Catalogue;
use crate::xml::{Limits, canonical_bytes, read};

/// The samples of a type, by path.
fn samples<'a>(files: &'a Files, kind: &MessageType) -> Vec<(&'a String, &'a Vec<u8>)> {
    let folder = format!("schemas/{}/samples/", kind.folder());
    files.iter().filter(|(path, _)| path.starts_with(&folder) && path.ends_with(".xml")).collect()
}

/// The canonical form without the white space between elements.
fn dense(bytes: &[u8]) -> String {
    let document = read(bytes, &Limits::default()).unwrap();
    let text = String::from_utf8(canonical_bytes(document.root(), None)).unwrap();
    let mut pieces = text.split('>');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |out, piece| {
        let rest =
            if piece.trim_start().starts_with('<') || piece.trim().is_empty() { piece.trim_start() } else { piece };
        out + ">" + rest
    })
}

#[test]
fn every_valid_sample_of_every_type_comes_back_as_it_was() {
    let files = bundle::embedded();
    let catalogue = Catalogue::from_files(&files).unwrap();
    let mut tried = 0;
    for kind in catalogue.types().filter(|kind| kind.technical().is_none()) {
        let found = samples(&files, kind);
        assert!(!found.is_empty(), "{kind} has no sample");
        for (path, bytes) in found {
            let document = read(bytes, &Limits::default()).unwrap();
            let body = Body::read(kind, document.root()).unwrap_or_else(|| panic!("{kind}: no struct; write one"));
            let body = body.unwrap_or_else(|misread| panic!("{path}: {misread}"));
            assert_eq!(body.kind(), *kind);
            let written = body.write().unwrap();
            assert_eq!(dense(&written), dense(bytes), "{path}");
            catalogue.validate(kind, &written).unwrap();
            tried += 1;
        }
    }
    assert!(tried >= 90, "{tried}");
}

#[test]
fn no_struct_is_without_a_schema() {
    let catalogue = Catalogue::from_files(&bundle::embedded()).unwrap();
    for (name, version) in Body::KINDS {
        assert!(catalogue.knows(&MessageType { name: (*name).to_owned(), version: *version }), "{name}/{version}");
    }
    let bytes = &bundle::embedded()["schemas/social/programme/1/samples/minimal.xml"];
    let document = read(bytes, &Limits::default()).unwrap();
    assert!(Body::read(&MessageType { name: "programme".to_owned(), version: 99 }, document.root()).is_none());
}

/// A defect of a programme, and what is told of it.
#[test]
fn what_is_wrong_is_told_with_the_way_to_it() {
    let files = bundle::embedded();
    let text = String::from_utf8(files["schemas/social/programme/1/samples/minimal.xml"].clone()).unwrap();
    let told = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1);
        let document = read(changed.as_bytes(), &Limits::default()).unwrap();
        let misread = Programme::read(document.root()).unwrap_err();
        let shown = misread.to_string();
        assert_eq!(misread.into_fault().code, FaultCode::SchemaInvalid);
        shown
    };
    for (from, to, says) in [
        ("<dueOn>", "<dueOn>x", "Programme/measures/measure[1]/dueOn: line"),
        ("<measures>", "<measures a='1'>", "Programme/measures: line"),
        ("<measure>", "<measure>x", "holds text between its elements"),
        ("<version>1", "<version>01", "Programme/version: line"),
        ("<version>", "<version xmlns='urn:other'>", "version is expected, version is met"),
        ("<status>draft</status>", "", "status is expected, beginsOn is met"),
        ("<responsible>", "<responsible>Й", "Programme/measures/measure[1]/responsible"),
        ("</measures>", "</measures><more/>", "more is unknown or out of its place"),
        ("programme:1", "programme:2", "element Programme of urn:mezhved:social:programme:1 is expected"),
    ] {
        let shown = told(from, to);
        assert!(shown.contains(says), "{to}: {shown}");
        assert!(!shown.contains('Й'), "a value is told: {shown}");
    }
    let start = text.find("<measure>").unwrap();
    let end = text.find("</measures>").unwrap();
    let empty = told(&text[start..end], "");
    assert!(empty.contains("Programme/measures/measure: ") && empty.contains("1 to 100"), "{empty}");
    let outside = text.replace("responsible>", "outside>");
    let document = read(outside.as_bytes(), &Limits::default()).unwrap();
    let body = Programme::read(document.root()).unwrap();
    assert!(matches!(body.measures[0].responsible, Responsible::Outside(_)));
    let neither = told("<responsible>employment</responsible>", "");
    assert!(neither.contains("responsible, outside is expected"), "{neither}");
}

/// Forms that are met seldom in samples.
#[test]
fn forms_are_those_of_the_schemas() {
    for good in ["+73462000000", "+73462000000;ext=12"] {
        assert!(Phone::new(good).is_ok(), "{good}");
    }
    for bad in ["73462000000", "+7346", "+73462000000;ext=", "+7 3462000000", "+73462000000;ext=1234567"] {
        assert!(Phone::new(bad).is_err(), "{bad}");
    }
    for good in ["0", "-1.5", "999999999999999.9999", "0.0001"] {
        assert!(FigureValue::new(good).is_ok(), "{good}");
    }
    for bad in ["", "-", "01", "1.", ".5", "1.00001", "1e3", "+1"] {
        assert!(FigureValue::new(bad).is_err(), "{bad}");
    }
    for good in ["a@b.c", "и.п@пример.рф", "a@b..c"] {
        assert!(Email::new(good).is_ok(), "{good}");
    }
    for bad in ["a@b", "@b.c", "a@.c", "a@b.", "a b@c.d", "a@b@c.d"] {
        assert!(Email::new(bad).is_err(), "{bad}");
    }
    for good in ["Оглы (Мамедов)", "д'Артаньян", "Ли", "Ю."] {
        assert!(NamePart::new(good).is_ok(), "{good}");
    }
    for bad in ["", "-Ли", "Ли ", "Ли2", "Ли_"] {
        assert!(NamePart::new(bad).is_err(), "{bad}");
    }
    assert!(Month::new("2026-13").is_err() && Quarter::new("2026-Q5").is_err() && Year::new("26").is_err());
    assert!(Oktmo::new("718760").is_err() && Oktmo::new("71876000001").is_ok());
    assert!(Line::new("a\tb").is_err() && Text::new("a\tb\nc").is_ok() && Text::new(" a").is_err());
    assert!(Text::new("Ж".repeat(4000)).is_ok() && Text::new("Ж".repeat(4001)).is_err());
    assert!(MemberNumber::new(0).is_err() && Version::new(10_000).is_err() && Count::new(0).is_ok());
    assert!(FieldName::new("Аб").is_err() && FieldName::new("a1").is_ok() && DocumentNumber::new("12/3-А").is_ok());
}
