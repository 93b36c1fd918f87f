//! Sets of files: code lists, broken schemas, partners' own ones.

use super::codes::CodeLists;
use super::*;
use crate::bundle::{self, Files};
use crate::domain::{DataClass, RoleCode};

fn errors_after(change: impl Fn(&mut Files)) -> Vec<CatalogueError> {
    let mut files = bundle::embedded();
    files.retain(|path, _| path.starts_with("schemas/common/") || path.starts_with("schemas/social/progress-report/"));
    assert!(Catalogue::from_files(&files).is_ok(), "without the change it compiles");
    change(&mut files);
    Catalogue::from_files(&files).expect_err("the change breaks it")
}

fn replace(files: &mut Files, path: &str, old: &str, new: &str) {
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(old), "{path}: {old}");
    files.insert(path.to_owned(), text.replacen(old, new, 1).into_bytes());
}

#[test]
fn broken_schemas_and_lists_are_told_with_file_and_line() {
    const REPORT: &str = "schemas/social/progress-report/1/progress-report.xsd";
    const KINDS: &str = "schemas/common/1/code-lists/document-kinds.csv";
    const COMMON: &str = "schemas/common/1/common.xsd";
    const COMMON_2: &str = "schemas/common/2/common.xsd";
    const LEVELS: &str = "schemas/common/2/code-lists/levels.csv";
    type Change = fn(&mut Files);
    let table: [(Change, &str, Option<u32>, &str); 17] = [
        (|f| replace(f, REPORT, "type=\"c:Month\"", "type=\"c:Mouth\""), REPORT, Some(25), "Mouth"),
        (
            |f| replace(f, REPORT, "common/1/common.xsd", "common/9/common.xsd"),
            REPORT,
            Some(11),
            "there is no file schemas/common/9",
        ),
        (|f| replace(f, REPORT, "../../../common/1/common.xsd", "/etc/passwd"), REPORT, Some(11), "relative path"),
        (
            |f| replace(f, REPORT, "../../../common/1/common.xsd", "http://localhost/x.xsd"),
            REPORT,
            Some(11),
            "relative path",
        ),
        (|f| replace(f, REPORT, "../../../common/1/common.xsd", "../../../../../x.xsd"), REPORT, Some(11), "leads out"),
        (
            |f| replace(f, REPORT, " schemaLocation=\"../../../common/1/common.xsd\"", ""),
            REPORT,
            Some(11),
            "needs a schemaLocation",
        ),
        (
            |f| replace(f, REPORT, "<xs:schema ", "<!DOCTYPE a SYSTEM \"x\">\n<xs:schema "),
            REPORT,
            None,
            "document type",
        ),
        (|f| replace(f, REPORT, "</xs:schema>", ""), REPORT, Some(1), "not well-formed"),
        (
            |f| (0..2).for_each(|_| replace(f, REPORT, "\"urn:mezhved:social:progress-report:1\"", "\"urn:x\"")),
            REPORT,
            None,
            "targetNamespace must be",
        ),
        (
            |f| replace(f, REPORT, "name=\"ProgressReport\"", "name=\"Report\""),
            REPORT,
            None,
            "a global element `ProgressReport`",
        ),
        (|f| replace(f, KINDS, "income-certificate,", "income-declaration,"), COMMON, None, "income-declaration"),
        (|f| replace(f, KINDS, ",tax,", ",taxes,"), KINDS, Some(40), "the role `taxes` is not in holder-roles.csv"),
        (
            |f| replace(f, KINDS, "health,health\n", "health,secret\n"),
            KINDS,
            Some(2),
            "the data class `secret` is not one of general, health",
        ),
        (|f| replace(f, KINDS, "medical-record-extract,", "medical-conclusion,"), KINDS, Some(3), "stands twice"),
        (|f| drop(f.remove(KINDS)), KINDS, None, "missing"),
        (
            |f| replace(f, LEVELS, "crisis,", "severe,"),
            COMMON_2,
            None,
            "`Level` and levels.csv differ in the code `severe`",
        ),
        (|f| drop(f.remove(LEVELS)), LEVELS, None, "missing"),
    ];
    for (index, (change, file, line, words)) in table.into_iter().enumerate() {
        let errors = errors_after(change);
        let told = errors.iter().any(|e| e.file == file && e.line == line && e.message.contains(words));
        assert!(told, "{index}: {file}:{line:?} {words}: {errors:#?}");
    }
}

#[test]
fn a_column_that_names_a_code_of_another_list_is_checked() {
    const MEASURES: &str = "schemas/common/3/code-lists/help-measures.csv";
    let errors = errors_after(|f| replace(f, MEASURES, ",medical\n", ",magical\n"));
    assert_eq!((errors.len(), errors[0].file.as_str(), errors[0].line), (1, MEASURES, Some(2)));
    assert!(errors[0].message.contains("help_kind `magical` is not in help-kinds.csv"), "{}", errors[0]);
    let errors = errors_after(|f| replace(f, MEASURES, "legal-papers,", "papers,"));
    assert!(errors[0].message.contains("help-measures.csv differ in the code"), "{}", errors[0]);
}

#[test]
fn a_partner_s_own_schema_needs_no_folder_of_ours() {
    let files = Files::from([
        ("adapters/x/main.xsd".to_owned(), b"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:include schemaLocation='sub/types.xsd'/><xs:element name='r' type='n'/></xs:schema>".to_vec()),
        ("adapters/x/sub/types.xsd".to_owned(), b"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:simpleType name='n'><xs:restriction base='xs:int'><xs:maxInclusive value='7'/></xs:restriction></xs:simpleType></xs:schema>".to_vec()),
    ]);
    let schema = XmlSchema::compile(&files, "adapters/x/main.xsd").unwrap();
    assert_eq!((schema.target_namespace(), schema.root_elements()), ("", ["r".to_owned()].as_slice()));
    schema.validate(b"<r>7</r>").unwrap();
    let violations = schema.validate(b"<r>888</r>").unwrap_err();
    assert_eq!((violations[0].line, violations[0].element.as_str()), (Some(1), "r"));
    assert_eq!(violations[0].message, "the value's length or size is not allowed, the limit is 7");
}

#[test]
fn json_schemas() {
    let files = Files::from([
        ("a/main.json".to_owned(), br##"{"type":"object","required":["name"],"additionalProperties":false,"properties":{"name":{"$ref":"types.json#/$defs/name"},"day":{"type":"string","format":"date"},"n":{"enum":[1,2]}}}"##.to_vec()),
        ("a/types.json".to_owned(), br#"{"$defs":{"name":{"type":"string","pattern":"^[a-z]+$"}}}"#.to_vec()),
        ("a/away.json".to_owned(), br#"{"$ref":"https://example.org/x.json"}"#.to_vec()),
        ("a/cut.json".to_owned(), b"{\n".to_vec()),
    ]);
    let schema = JsonSchema::compile(&files, "a/main.json").unwrap();
    schema.validate(br#"{"name":"x","day":"2026-05-06","n":2}"#).unwrap();
    let table = [
        (r#"{"name":"SECRET"}"#, "/name", "breaks the schema's rule `pattern`"),
        (r#"{"name":"x","day":"SECRET"}"#, "/day", "`format`"),
        (r#"{"name":"x","n":"SECRET"}"#, "/n", "`enum`"),
        (r#"{"name":"x","SECRET":1}"#, "/", "`additionalProperties`"),
        (r#"{"n":1}"#, "/", "the field `name` is missing"),
        (r#"{"name":"SECRET"#, "", "not well-formed JSON"),
    ];
    for (document, element, words) in table {
        let violations = schema.validate(document.as_bytes()).unwrap_err();
        let first = &violations[0];
        assert_eq!(first.element, element, "{document}");
        assert!(first.message.contains(words), "{document}: {first}");
        assert!(!format!("{violations:?}").contains("SECRET"), "{violations:?}");
    }
    assert!(schema.validate("[".repeat(100_000).as_bytes()).is_err());
    for (entry, words) in
        [("a/away.json", "https://example.org"), ("a/cut.json", "not well-formed"), ("a/none.json", "no such file")]
    {
        let errors = JsonSchema::compile(&files, entry).unwrap_err();
        assert!(errors[0].message.contains(words), "{entry}: {errors:?}");
    }
}

#[test]
fn every_agency_can_be_asked_for_at_least_three_documents() {
    let codes = CodeLists::from_files(&bundle::embedded()).unwrap();
    for role in ["health", "education", "police", "guardianship", "employment"] {
        let kinds = codes.document_kinds().iter().filter(|kind| kind.holder_role.as_str() == role).count();
        assert!(kinds >= 3, "{role}: {kinds}");
    }
    for class in DataClass::ALL {
        assert!(codes.document_kinds().iter().any(|kind| kind.data_class == class), "{class:?}");
        assert_eq!(DataClass::parse(class.as_str()), Some(class));
    }
    let kind = codes.document_kind("adoption-record").unwrap();
    assert_eq!((kind.holder_role.as_str(), kind.data_class), ("guardianship", DataClass::Adoption));
    assert_eq!(codes.document_kinds().len(), codes.list("document-kinds").unwrap().len());
}

#[test]
fn every_list_is_read_and_has_both_languages() {
    let codes = CodeLists::from_files(&bundle::embedded()).unwrap();
    let is_russian = |text: &str| text.chars().any(|c| matches!(c, 'а'..='я' | 'А'..='Я'));
    for name in CodeLists::names() {
        let list = codes.list(name).unwrap();
        assert!(list.len() >= 2, "{name}");
        for code in list {
            assert!(RoleCode::parse(&code.code).is_ok(), "{name}: {}", code.code);
            assert!(is_russian(&code.ru) && !is_russian(&code.en), "{name}: {}", code.code);
        }
    }
    assert_eq!(codes.code("help-kinds", "legal").unwrap().ru, "Содействие в предоставлении юридической помощи");
    let files = bundle::embedded();
    let in_folder = files.keys().filter(|path| path.starts_with("schemas/common/") && path.ends_with(".csv")).count();
    assert_eq!(in_folder, CodeLists::names().count(), "a list that nobody reads");
}

#[test]
fn the_third_version_completes_what_the_earlier_ones_lack() {
    let codes = CodeLists::from_files(&bundle::embedded()).unwrap();
    let list = |name: &str| -> Vec<&str> { codes.list(name).unwrap().iter().map(|c| c.code.as_str()).collect() };
    // The classes of the code are those of the list.
    assert_eq!(list("data-classes"), DataClass::ALL.map(DataClass::as_str));
    // Who knows a ground of the first list finds it in the second.
    for ground in list("termination-grounds") {
        assert!(list("termination-reasons").contains(&ground), "{ground}");
    }
    // Every kind of help and every level has its rows, and each kind an open one.
    for kind in list("help-kinds") {
        let own = list("help-measures").into_iter().filter(|code| code.starts_with(&format!("{kind}-"))).count();
        assert!(own >= 5 && list("help-measures").contains(&format!("{kind}-other").as_str()), "{kind}");
    }
}

/// A revision that was stored before the second version of the shared types was written must still compile.
#[test]
fn the_first_version_of_the_shared_types_is_enough() {
    let mut files = bundle::embedded();
    files.retain(|path, _| path.starts_with("schemas/common/1/") || path.starts_with("schemas/social/application/1/"));
    let catalogue = Catalogue::from_files(&files).unwrap();
    assert!(catalogue.codes().list("categories").is_some());
    assert_eq!(catalogue.codes().list("levels"), None);
}

#[test]
fn a_mark_and_a_progress_report_know_the_same_results() {
    let files = bundle::embedded();
    let text = std::str::from_utf8(&files["schemas/social/progress-report/1/progress-report.xsd"]).unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    let told: Vec<&str> = document.descendants().filter_map(|n| n.attribute("value")).collect();
    let codes = CodeLists::from_files(&files).unwrap();
    assert_eq!(codes.list("measure-results").unwrap().iter().map(|c| c.code.as_str()).collect::<Vec<_>>(), told);
}
