//! `mezhved adapter preview`: one body through an adapter and back, step by step.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use super::{ConfigDir, adapter};
use crate::adapter::{AdapterSet, ConversionSet, Direction, PreviewStep, PreviewStepKind, preview, side};
use crate::bundle::Files;
use crate::domain::MessageType;
use crate::schema::Catalogue;

#[derive(Debug, clap::Args)]
pub(super) struct PreviewArgs {
    #[command(flatten)]
    dir: ConfigDir,
    /// Имя адаптера или папка / the adapter's name, or its folder
    adapter: String,
    /// Тип сообщения, с версией после косой черты, если не 1 / the message type, with /VERSION when it is not 1
    #[arg(long = "type", value_name = "TYPE")]
    message_type: String,
    /// Файл с телом, в любой из двух форм / a file with the body, in either form
    #[arg(long, value_name = "FILE")]
    sample: PathBuf,
    /// Напечатать шаги как JSON / print the steps as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the steps; whether all of them came out.
///
/// # Errors
/// When `out` or `err` cannot be written.
pub(super) fn run(args: &PreviewArgs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    match steps(args) {
        Ok((direction, steps)) => {
            if args.json {
                serde_json::to_writer_pretty(&mut *out, &steps)?;
                writeln!(out)?;
            } else {
                tell(direction, &steps, out)?;
            }
            Ok(steps.iter().all(|step| step.problem.is_none()))
        }
        Err(reason) => {
            writeln!(err, "{reason}")?;
            Ok(false)
        }
    }
}

fn steps(args: &PreviewArgs) -> Result<(Direction, Vec<PreviewStep>), String> {
    let (files, name) = files(args)?;
    let message_type = message_type(&args.message_type)?;
    let body = std::fs::read(&args.sample)
        .map_err(|e| format!("{}: не читается / cannot be read: {e}", args.sample.display()))?;
    let joined = |errors: Vec<String>| errors.join("\n");
    let catalogue = Catalogue::from_files(&files).map_err(|e| joined(e.iter().map(ToString::to_string).collect()))?;
    let set = AdapterSet::from_files(&files).map_err(|e| joined(e.iter().map(ToString::to_string).collect()))?;
    let conversions = ConversionSet::from_files(&files, &catalogue)
        .map_err(|e| joined(e.iter().map(ToString::to_string).collect()))?;
    let Some(adapter) = set.get(&name) else {
        let known: Vec<&str> = set.iter().map(|a| a.name()).collect();
        return Err(format!(
            "адаптера `{name}` нет; есть / there is no adapter `{name}`; there are: {}",
            known.join(", ")
        ));
    };
    if adapter.is_canonical() {
        return Err(format!(
            "адаптер `{name}` ничего не переводит / the adapter `{name}` translates nothing (form canonical)"
        ));
    }
    let direction = side(&message_type, &body);
    Ok((direction, preview(adapter, (&catalogue, &conversions), &message_type, direction, &body)))
}

/// The files to work with, and the adapter's name among them.
fn files(args: &PreviewArgs) -> Result<(Files, String), String> {
    let folder = Path::new(&args.adapter);
    let bundle = args.dir.bundle().map_err(|e| e.to_string())?;
    if !folder.join("manifest.toml").is_file() {
        return Ok((bundle, args.adapter.clone()));
    }
    let files = adapter::with_folders(&bundle, &[folder.to_owned()])?;
    let whole = folder.canonicalize().map_err(|e| format!("{}: {e}", folder.display()))?;
    let name = whole.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
    Ok((files, name))
}

fn message_type(text: &str) -> Result<MessageType, String> {
    let (name, version) = text.split_once('/').unwrap_or((text, "1"));
    let wrong = || {
        format!(
            "--type {text}: нужно имя или имя/версия / a name or name/version, such as document-request or programme/2"
        )
    };
    MessageType::new(name, version.parse().map_err(|_| wrong())?).map_err(|_| wrong())
}

fn tell(direction: Direction, steps: &[PreviewStep], out: &mut dyn Write) -> io::Result<()> {
    for (number, step) in (1..).zip(steps) {
        let title = match (step.step, direction) {
            (PreviewStepKind::Input, _) => "вход в канонической форме / input in the canonical form",
            (PreviewStepKind::Conversion, _) => "перевод в версию адаптера / converted to the adapter's version",
            (PreviewStepKind::Translation, Direction::ToPartner) => {
                "перевод в форму ведомства / into the agency's form"
            }
            (PreviewStepKind::Translation, Direction::ToCanonical) => {
                "вход в форме ведомства, перевод в каноническую / input in the agency's form, into the canonical one"
            }
            (PreviewStepKind::Back, _) => "обратно / and back",
            (PreviewStepKind::Comparison, _) => "сравнение с входом / compared with the input",
        };
        writeln!(out, "{number}. {title} ({})", step.file)?;
        match (&step.problem, &step.result) {
            (Some(problem), _) => writeln!(out, "   НЕ ВЫШЛО / FAILED: {problem}")?,
            (None, Some(diff)) if step.step == PreviewStepKind::Comparison && diff.is_empty() => {
                writeln!(out, "   то же самое / the same")?;
            }
            (None, Some(diff)) if step.step == PreviewStepKind::Comparison => {
                writeln!(out, "   вернулось не всё / not all of it came back:")?;
                writeln!(out, "{}", adapter::shown_diff(diff, io::stdout().is_terminal()))?;
            }
            (None, Some(_)) if step.step == PreviewStepKind::Input => writeln!(out, "   принят / taken")?,
            (None, Some(body)) => {
                writeln!(out, "{}", body.trim_end())?;
                if !step.not_carried.is_empty() {
                    writeln!(out, "   не передаётся / not carried: {}", step.not_carried.join(", "))?;
                }
                writeln!(out)?;
            }
            (None, None) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle;

    fn show(adapter: &str, message_type: &str, body: &[u8], json: bool) -> (bool, String, String) {
        let place = tempfile::tempdir().unwrap();
        let sample = place.path().join("sample");
        std::fs::write(&sample, body).unwrap();
        let dir = ConfigDir { config: super::super::DEFAULT_CONFIG.into() };
        let args = PreviewArgs { dir, adapter: adapter.into(), message_type: message_type.into(), sample, json };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let done = run(&args, &mut out, &mut err).unwrap();
        (done, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    fn sample(path: &str) -> Vec<u8> {
        bundle::embedded().remove(path).unwrap()
    }

    #[test]
    fn each_form_goes_there_and_back() {
        for (path, first) in [
            ("adapters/police/samples/document-request/rich.canonical.xml", "in the canonical form"),
            ("adapters/police/samples/document-request/rich.partner.xml", "input in the agency's form"),
        ] {
            let (done, out, err) = show("police", "document-request", &sample(path), false);
            assert!(done && out.contains(first) && out.contains("request.out.xml"), "{out}{err}");
            assert!(out.trim_end().ends_with("то же самое / the same"), "{out}");
        }
        let json = sample("adapters/employment/samples/document-request/rich.partner.json");
        let (done, out, err) = show("employment", "document-request", &json, true);
        let steps: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        assert!(done && steps[2]["step"] == "comparison" && steps[2]["result"] == "", "{out}");
    }

    #[test]
    fn the_first_step_that_fails_says_where_and_is_the_last() {
        let canonical = sample("adapters/police/samples/document-request/rich.canonical.xml");
        let broken = String::from_utf8(canonical).unwrap().replacen("<c:birthDate>", "<c:birthDate>x", 1);
        let (done, out, _) = show("police", "document-request", broken.as_bytes(), false);
        assert!(!done && out.contains("1. вход") && out.contains("birthDate") && !out.contains("2."), "{out}");
        for (adapter, kind, says) in [
            ("nobody", "document-request", "there are: culture, education"),
            ("police", "document-request/x", "name/version"),
            ("guardianship", "document-request", "translates nothing"),
        ] {
            let (done, _, err) = show(adapter, kind, b"<a/>", false);
            assert!(!done && err.contains(says), "{err}");
        }
        let (done, out, _) = show("police", "document-request", b"no markup", false);
        assert!(!done && out.contains("1.") && out.contains("FAILED"), "{out}");
    }
}
