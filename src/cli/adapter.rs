//! `mezhved adapter`: do the adapters translate as their golden samples say? A new one after another; a look at each step.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use crate::adapter::{AdapterSet, ConversionSet, GoldenOutcome, GoldenResult, check_conversions, check_golden};
use crate::bundle::Files;
use crate::schema::Catalogue;

/// Адаптеры: перевод между канонической формой и формами участников. / Adapters: translation to and from partners' own forms.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Проверить адаптеры по их образцам, в обе стороны. / Check adapters against their golden samples, both ways.
    ///
    /// DIR — папка одного адаптера (с manifest.toml) или папка с такими папками; без DIR проверяются встроенные адаптеры и переводы
    /// между версиями сообщений. Папка перевода (conversions/ТИП/1-2) и папка conversions проверяются так же.
    /// Образец — пара файлов samples/ТИП/ИМЯ.canonical.xml и samples/ТИП/ИМЯ.partner.xml (или .json). Адаптер без образцов не
    /// проходит проверку. Расхождение показывается построчно: «-» — образец, «+» — получилось.
    ///
    /// DIR is the folder of one adapter (with manifest.toml) or a folder of such folders; without DIR the built-in adapters and
    /// conversions between versions of messages are checked. A conversion's folder (conversions/TYPE/1-2) and the folder conversions
    /// are checked likewise. A sample is a pair of files samples/TYPE/NAME.canonical.xml and samples/TYPE/NAME.partner.xml (or .json). An
    /// adapter without samples fails. A difference is shown by lines: "-" is the golden sample, "+" the result.
    ///
    /// Пример / Example: mezhved adapter test adapters/police
    Test(TestArgs),
    /// Сделать новый адаптер по образцу другого / make a new adapter after another one.
    ///
    /// Папка настроек/adapters/ИМЯ получает файлы образца, с его шаблонами, схемой и образцами, и сразу проходит проверку. Дальше её
    /// меняют шаг за шагом: схему ведомства, шаблоны, образцы.
    ///
    /// CONFIG/adapters/NAME gets the files of the other one with its templates, schema and samples, and passes the check at once. From
    /// there it is changed step by step: the agency's schema, templates, samples.
    ///
    /// Пример / Example: mezhved adapter new youth --like police --config /etc/mezhved
    New(super::adapter_new::NewArgs),
    /// Показать перевод одного сообщения шаг за шагом / show the translation of one message step by step.
    ///
    /// Тело в канонической форме переводится в форму ведомства и обратно, тело в форме ведомства — наоборот; после каждого шага
    /// видно, что вышло, или где и почему не вышло.
    ///
    /// A body in the canonical form is translated into the agency's and back, one in the agency's form the other way round; each step
    /// shows what came of it, or where and why it failed.
    ///
    /// Пример / Example: mezhved adapter preview police --type document-request --sample request.xml
    Preview(super::adapter_preview::PreviewArgs),
}

#[derive(Debug, clap::Args)]
struct TestArgs {
    /// Папки адаптеров. / Folders of adapters.
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Напечатать результат как JSON. / Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Checks the adapters of the folders, or those in `files`, against the schemas in `files`. `out` gets a line for each sample that
/// passes and a summary, or the JSON; `err` gets the reasons and differences of the others.
/// Returns whether all passed: exit status 0, else 1.
///
/// # Errors
/// When `out` or `err` cannot be written.
pub(crate) fn run(args: &Args, files: &Files, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    let test = match &args.command {
        Command::Test(test) => test,
        Command::New(new) => return super::adapter_new::run(new, files, out, err),
        Command::Preview(preview) => return super::adapter_preview::run(preview, out, err),
    };
    let files = match with_folders(files, &test.folders) {
        Ok(files) => files,
        Err(reason) => {
            writeln!(err, "{reason}")?;
            return Ok(false);
        }
    };
    let results = match check_all(&files) {
        // Of the conversions those that were named; without a name all.
        Ok(all) if !test.folders.is_empty() => {
            let named: Vec<String> =
                test.folders.iter().flat_map(|f| folders_in(f).unwrap_or_default()).map(|f| place(&f)).collect();
            all.into_iter().filter(|r| !r.adapter.contains('/') || named.contains(&r.adapter)).collect()
        }
        Ok(all) => all,
        Err(reasons) => {
            for reason in reasons {
                writeln!(err, "{reason}")?;
            }
            return Ok(false);
        }
    };
    if test.json {
        serde_json::to_writer_pretty(&mut *out, &results)?;
        writeln!(out)?;
    } else {
        tell(&results, io::stderr().is_terminal(), out, err)?;
    }
    Ok(!results.is_empty() && results.iter().all(GoldenResult::passed))
}

pub(super) fn check_all(files: &Files) -> Result<Vec<GoldenResult>, Vec<String>> {
    let catalogue = Catalogue::from_files(files).map_err(|errors| texts(&errors))?;
    let set = AdapterSet::from_files(files).map_err(|errors| texts(&errors))?;
    let conversions = ConversionSet::from_files(files, &catalogue).map_err(|errors| texts(&errors))?;
    let adapters = set.iter().flat_map(|adapter| check_golden(adapter, files, &catalogue));
    Ok(adapters.chain(check_conversions(&conversions, files, &catalogue)).collect())
}

fn texts(errors: &[impl ToString]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

fn tell(results: &[GoldenResult], coloured: bool, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    let mut passed = 0usize;
    for result in results {
        let direction = result.direction.map_or("", |d| d.as_str());
        let words = [result.adapter.as_str(), &result.message_type, &result.case, direction];
        let what = words.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
        match &result.outcome {
            GoldenOutcome::Passed => {
                passed += 1;
                writeln!(out, "{what}: верно / passed")?;
            }
            GoldenOutcome::Failed { reason, diff } => {
                writeln!(err, "{what}: НЕВЕРНО / FAILED: {reason}")?;
                if let Some(diff) = diff {
                    writeln!(err, "{}", shown_diff(diff, coloured))?;
                }
            }
        }
    }
    writeln!(
        out,
        "верно {passed}, неверно {failed} / {passed} passed, {failed} failed",
        failed = results.len() - passed
    )
}

/// A difference by lines; on a terminal what is missing is red and what is new is green.
pub(super) fn shown_diff(diff: &str, coloured: bool) -> String {
    if !coloured {
        return diff.to_owned();
    }
    let paint = |line: &str| match line.as_bytes().first() {
        Some(b'-') => format!("\u{1b}[31m{line}\u{1b}[0m\n"),
        Some(b'+') => format!("\u{1b}[32m{line}\u{1b}[0m\n"),
        _ => format!("{line}\n"),
    };
    diff.lines().map(paint).collect()
}

/// The files with the adapters of the folders in place of their own, and with their conversions; unchanged when there are no folders.
pub(super) fn with_folders(files: &Files, folders: &[PathBuf]) -> Result<Files, String> {
    let mut files = files.clone();
    if folders.is_empty() {
        return Ok(files);
    }
    files.retain(|path, _| !path.starts_with("adapters/"));
    let mut added: Vec<String> = Vec::new();
    for folder in folders {
        let unreadable = |e: io::Error| format!("{}: не читается / cannot be read: {e}", folder.display());
        for found in folders_in(folder).map_err(unreadable)? {
            let prefix = place(&found);
            if added.contains(&prefix) {
                let name = prefix.trim_start_matches("adapters/");
                return Err(format!("адаптер {name} указан дважды / the adapter {name} is given twice"));
            }
            let below = format!("{prefix}/");
            files.retain(|path, _| !path.starts_with(&below));
            add_folder(&found, &prefix, &mut files).map_err(unreadable)?;
            added.push(prefix);
        }
    }
    Ok(files)
}

/// Where the files of a folder belong: `adapters/police`, or `conversions/termination/1-2` when the name is that of two versions.
fn place(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name =
        |path: Option<&Path>| path.and_then(Path::file_name).and_then(|n| n.to_str()).unwrap_or_default().to_owned();
    let own = name(Some(&whole));
    let is_pair = own.split_once('-').is_some_and(|(a, b)| a.parse::<u32>().is_ok() && b.parse::<u32>().is_ok());
    if is_pair { format!("conversions/{}/{own}", name(whole.parent())) } else { format!("adapters/{own}") }
}

/// The folder itself, if it has a manifest, or those right below it, or, in the folder of all conversions, one further down.
fn folders_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if folder.join("manifest.toml").is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let below = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
    };
    let with_manifest = |paths: Vec<PathBuf>| paths.into_iter().filter(|p| p.join("manifest.toml").is_file());
    let right_below = below(folder)?;
    let mut found: Vec<PathBuf> = with_manifest(right_below.clone()).collect();
    if found.is_empty() {
        for inner in right_below.iter().filter(|path| path.is_dir()) {
            found.extend(with_manifest(below(inner)?));
        }
    }
    if found.is_empty() {
        return Err(io::Error::other("здесь нет manifest.toml / there is no manifest.toml here"));
    }
    found.sort();
    Ok(found)
}

/// Adds all files of a folder. Links are not followed.
fn add_folder(folder: &Path, prefix: &str, files: &mut Files) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            add_folder(&entry.path(), &path, files)?;
        } else if kind.is_file() {
            files.insert(path, std::fs::read(entry.path())?);
        }
    }
    Ok(())
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

    fn run_with(words: &[&str]) -> (bool, String, String) {
        let line = Line::try_parse_from([&["adapter", "test"], words].concat()).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let passed = run(&line.args, &bundle::embedded(), &mut out, &mut err).unwrap();
        (passed, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    /// Writes the embedded adapters below a folder.
    fn unpack(to: &Path) {
        for (path, bytes) in bundle::embedded() {
            if path.starts_with("adapters/") {
                let path = to.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
        }
    }

    #[test]
    fn the_built_in_adapters_pass() {
        let (passed, out, err) = run_with(&[]);
        assert!(passed, "{err}");
        assert!(out.contains("police document-request rich to-partner: верно / passed\n"), "{out}");
        assert!(out.ends_with(", 0 failed\n"), "{out}");
    }

    #[test]
    fn a_folder_is_checked_as_it_is_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        unpack(folder.path());
        let adapters = folder.path().join("adapters");
        let police = adapters.join("police");
        let (passed, out, _) = run_with(&[police.to_str().unwrap()]);
        assert!(passed && !out.contains("health"), "{out}");
        let (passed, out, _) = run_with(&[adapters.to_str().unwrap(), "--json"]);
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(passed && told[0]["outcome"] == "passed", "{out}");

        // A changed expectation is shown with its difference.
        let sample = police.join("samples/document-request/rich.partner.xml");
        let text = std::fs::read_to_string(&sample).unwrap();
        std::fs::write(&sample, text.replace("<DR>01.09.2016</DR>", "<DR>02.09.2016</DR>")).unwrap();
        let (passed, _, err) = run_with(&[police.to_str().unwrap()]);
        assert!(!passed && err.contains("-  ") && err.contains("+    <DR>01.09.2016"), "{err}");
        assert!(err.contains("birthDate>2016-09-02"), "both directions are compared: {err}");

        // Without samples a folder fails.
        std::fs::remove_dir_all(police.join("samples")).unwrap();
        let (passed, _, err) = run_with(&[police.to_str().unwrap()]);
        assert!(!passed && err.contains("no golden samples"), "{err}");
    }

    #[test]
    fn a_difference_is_coloured_by_lines() {
        assert_eq!(shown_diff("-a\n+b\n c", true), "\u{1b}[31m-a\u{1b}[0m\n\u{1b}[32m+b\u{1b}[0m\n c\n");
        assert_eq!(shown_diff("-a", false), "-a");
    }

    #[test]
    fn what_cannot_be_checked_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let (passed, _, err) = run_with(&[folder.path().to_str().unwrap()]);
        assert!(!passed && err.contains("no manifest.toml"), "{err}");
        let (passed, _, err) = run_with(&["/nowhere/at/all"]);
        assert!(!passed && err.contains("cannot be read"), "{err}");
        unpack(folder.path());
        let police = folder.path().join("adapters/police");
        let (passed, _, err) = run_with(&[police.to_str().unwrap(), police.to_str().unwrap()]);
        assert!(!passed && err.contains("given twice"), "{err}");
        std::fs::write(police.join("templates/lib.xml"), "\n{{ a ~ b }}").unwrap();
        let (passed, _, err) = run_with(&[police.to_str().unwrap()]);
        assert!(!passed && err.contains("adapters/police/templates/lib.xml:2:"), "{err}");
    }
}
