//! Folders that are wrong, and samples that prove nothing.

use super::*;

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
        (
            "results.csv",
            "help-given,ok",
            "in-progress,ok",
            "results.csv:3: the code `in-progress` is there twice in `canonical`",
        ),
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

#[test]
fn the_built_in_code_lists_know_every_canonical_code() {
    let files = bundle::embedded();
    let codes = |path: &str, column: &str| -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(files[path].as_slice());
        let at = reader.headers().unwrap().iter().position(|h| h == column).unwrap();
        reader.records().map(|r| r.unwrap()[at].to_owned()).collect()
    };
    for (version, canonical, own) in [
        (1, "document-kinds", "document-kinds"),
        (1, "identity-document-kinds", "identity-documents"),
        (1, "help-kinds", "help-kinds"),
        (2, "measure-results", "results"),
        (2, "programme-statuses", "programme-statuses"),
        (2, "levels", "levels"),
        (2, "termination-grounds", "termination-grounds"),
        (2, "assessment-stages", "assessment-stages"),
        (2, "effectiveness-outcomes", "effectiveness-outcomes"),
        (2, "identification-sources", "identification-sources"),
        (2, "identification-urgencies", "identification-urgencies"),
    ] {
        let wanted = codes(&format!("schemas/common/{version}/code-lists/{canonical}.csv"), "code");
        assert!(!wanted.is_empty());
        // The employment service is not told the level of an accompaniment.
        let without = if own == "levels" { "employment" } else { "" };
        for adapter in AGENCIES.iter().filter(|a| ![without, "guardianship"].contains(*a)) {
            let known = codes(&format!("adapters/{adapter}/codes/{own}.csv"), "canonical");
            for code in &wanted {
                assert!(known.contains(code), "{adapter} {own}: {code}");
            }
        }
    }
}
