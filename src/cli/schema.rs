//! `mezhved schema check`: does a message fit its schema?

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::bundle::Files;
use crate::domain::MessageType;
use crate::schema::{Catalogue, Violation, element_bytes};

/// The namespace of the envelope; of an envelope the body is checked.
const ENVELOPE: &str = "urn:mezhved:envelope:1";

/// Сообщения и их схемы. / Messages and their schemas.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Проверить сообщения по их схемам. / Check messages against their schemas.
    ///
    /// Файл содержит тело сообщения или конверт с ним. Тип определяется по корневому элементу. Кроме схемы XSD проверяются
    /// контрольное число СНИЛС, порядок дат и другие правила. Значения из документа не печатаются.
    ///
    /// A file holds the body of a message, or an envelope with one. The type follows from the root element. Besides the XSD, the
    /// check digits of СНИЛС, the order of dates and other rules are checked. No value of a document is printed.
    ///
    /// Пример / Example: mezhved schema check application.xml request.xml
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Файлы XML. / XML files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Напечатать результат как JSON. / Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What came out for one file.
#[derive(Debug, Serialize)]
struct Outcome {
    file: String,
    #[serde(rename = "type")]
    message_type: Option<String>,
    valid: bool,
    violations: Vec<Violation>,
    /// Why the file could not be checked at all.
    problem: Option<String>,
}

/// Checks the files. `out` gets a line for each valid file, or the JSON; `err` gets the reasons for the others.
/// Returns whether all are valid: exit status 0, else 1.
///
/// # Errors
/// When `out` or `err` cannot be written.
pub(crate) fn run(args: &Args, files: &Files, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    let Command::Check(check) = &args.command;
    let catalogue = match Catalogue::from_files(files) {
        Ok(catalogue) => catalogue,
        Err(errors) => {
            writeln!(err, "схемы не годятся / the schemas cannot be used:")?;
            for error in errors {
                writeln!(err, "  {error}")?;
            }
            return Ok(false);
        }
    };
    let outcomes: Vec<Outcome> = check.files.iter().map(|path| check_file(&catalogue, path)).collect();
    if check.json {
        serde_json::to_writer_pretty(&mut *out, &outcomes)?;
        writeln!(out)?;
    } else {
        for outcome in &outcomes {
            tell(outcome, out, err)?;
        }
    }
    Ok(outcomes.iter().all(|outcome| outcome.valid))
}

fn tell(outcome: &Outcome, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    let file = &outcome.file;
    if let Some(problem) = &outcome.problem {
        writeln!(err, "{file}: {problem}")?;
    }
    for violation in &outcome.violations {
        let line = violation.line.map(|line| format!("{line}:")).unwrap_or_default();
        writeln!(err, "{file}:{line} [{}] {}: {}", violation.rule, violation.element, violation.ru)?;
        writeln!(err, "    {}", violation.message)?;
    }
    if outcome.valid {
        writeln!(out, "{file}: верно / valid ({})", outcome.message_type.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

fn check_file(catalogue: &Catalogue, path: &Path) -> Outcome {
    let mut outcome = Outcome {
        file: path.display().to_string(),
        message_type: None,
        valid: false,
        violations: Vec::new(),
        problem: None,
    };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) => {
            outcome.problem = Some(format!("файл не читается / the file cannot be read: {e}"));
            return outcome;
        }
    };
    match body_of(catalogue, &bytes) {
        Ok((message_type, body)) => {
            outcome.message_type = Some(message_type.to_string());
            outcome.violations = catalogue.validate(&message_type, &body).err().unwrap_or_default();
            outcome.valid = outcome.violations.is_empty();
        }
        Err(problem) => outcome.problem = Some(problem),
    }
    outcome
}

/// The type of a message and the bytes of its body, from a body or an envelope.
fn body_of(catalogue: &Catalogue, bytes: &[u8]) -> Result<(MessageType, Vec<u8>), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "документ не в UTF-8 / the document is not UTF-8".to_owned())?;
    let document = roxmltree::Document::parse(text).map_err(|e| {
        // The parser's own words may quote the document; the place may not.
        format!(
            "строка / line {}: документ не является правильным XML / the document is not well-formed XML",
            e.pos().row
        )
    })?;
    let root = document.root_element();
    let is_envelope = root.has_tag_name((ENVELOPE, "Envelope"));
    let body = if is_envelope {
        let body = root.children().find(|n| n.has_tag_name((ENVELOPE, "Body")));
        body.and_then(|body| body.first_element_child())
            .ok_or("в конверте нет тела XML / the envelope has no XML body")?
    } else {
        root
    };
    let name = body.tag_name();
    let message_type = catalogue.type_of_root(name.namespace().unwrap_or_default(), name.name()).ok_or_else(|| {
        let known: Vec<String> = catalogue.types().map(ToString::to_string).collect();
        let (name, known) = (name.name(), known.join(", "));
        format!("корневой элемент {name} не принадлежит ни одному типу / the root element {name} belongs to no type; {known}")
    })?;
    let bytes = if is_envelope { element_bytes(body) } else { bytes.to_vec() };
    Ok((message_type.clone(), bytes))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::bundle;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    /// Runs the command on files written to a temporary folder; gives the verdict and both outputs.
    fn run_on(texts: &[(&str, &[u8])], more: &[&str]) -> (bool, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let mut words = vec!["schema".to_owned(), "check".to_owned()];
        words.extend(more.iter().map(ToString::to_string));
        for (name, text) in texts {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            words.push(path.display().to_string());
        }
        let line = Line::try_parse_from(words).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let valid = run(&line.args, &bundle::embedded(), &mut out, &mut err).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&format!("{}/", folder.path().display()), "");
        (valid, text(out), text(err))
    }

    fn sample(path: &str) -> Vec<u8> {
        bundle::embedded()[&format!("schemas/social/{path}")].clone()
    }

    #[test]
    fn valid_and_invalid_files_are_told_apart() {
        let good = sample("application/1/samples/minimal.xml");
        let bad = sample("application/1/samples-invalid/snils-check-digit.xml");
        assert_eq!(
            run_on(&[("a.xml", &good)], &[]),
            (true, "a.xml: верно / valid (application/1)\n".to_owned(), String::new())
        );
        let (valid, out, err) = run_on(&[("a.xml", &good), ("b.xml", &bad)], &[]);
        assert!(!valid && out.contains("a.xml"), "{out}");
        assert_eq!(
            err,
            "b.xml:16: [snils-check-digit] snils: контрольное число СНИЛС не сходится\n    the check digits of the SNILS are wrong\n"
        );
    }

    #[test]
    fn json_tells_the_same() {
        let bad = sample("application/1/samples-invalid/snils-check-digit.xml");
        let (valid, out, err) = run_on(&[("b.xml", &bad)], &["--json"]);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(!valid && err.is_empty());
        assert_eq!(told[0]["violations"][0]["rule"], "snils-check-digit");
        assert_eq!(told[0]["violations"][0]["line"], 16);
        assert_eq!(told[0]["valid"], false);
    }

    #[test]
    fn an_envelope_is_checked_by_its_body() {
        let body = String::from_utf8(sample("progress-report/1/samples/minimal.xml")).unwrap();
        let body = body.split_once("?>").unwrap().1;
        let whole = format!("<Envelope xmlns='urn:mezhved:envelope:1'><Header/><Body>{body}</Body></Envelope>");
        let (valid, out, err) = run_on(&[("e.xml", whole.as_bytes())], &[]);
        assert!(valid, "{err}");
        assert_eq!(out, "e.xml: верно / valid (progress-report/1)\n");
    }

    #[test]
    fn what_cannot_be_checked_says_why() {
        let table: [(&[u8], &str); 5] = [
            (b"not xml", "line 1"),
            (b"\xff", "UTF-8"),
            (b"<Unknown/>", "belongs to no type"),
            (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "not well-formed"),
            (b"<Envelope xmlns='urn:mezhved:envelope:1'/>", "no XML body"),
        ];
        for (text, words) in table {
            let (valid, _, err) = run_on(&[("x.xml", text)], &[]);
            assert!(!valid && err.contains(words), "{err}");
        }
        let line = Line::try_parse_from(["schema", "check", "/nowhere/at/all.xml"]).unwrap();
        let mut err = Vec::new();
        assert!(!run(&line.args, &bundle::embedded(), &mut Vec::new(), &mut err).unwrap());
        assert!(String::from_utf8(err).unwrap().contains("cannot be read"));
        assert!(Line::try_parse_from(["schema", "check"]).is_err(), "a file is required");
    }
}
