//! `mezhved adapter new`: the folder of a new adapter, made after one that is there.

use std::io::{self, Write};
use std::path::Path;

use super::{ConfigDir, adapter};
use crate::adapter::GoldenResult;
use crate::bundle::Files;
use crate::domain::RoleCode;
use crate::settings::folder;

#[derive(Debug, clap::Args)]
pub(super) struct NewArgs {
    #[command(flatten)]
    dir: ConfigDir,
    /// Имя папки: строчные латинские буквы, цифры, дефис / the folder's name: lower-case Latin letters, digits, hyphens
    name: String,
    /// По образцу какого адаптера: из папки настроек или встроенного / after which adapter, of the configuration folder or built in
    #[arg(long, value_name = "NAME")]
    like: String,
}

/// Makes the folder, all of it or nothing, and checks it. `built_in` holds the schemas against which samples are checked.
///
/// # Errors
/// When `out` or `err` cannot be written.
pub(super) fn run(args: &NewArgs, built_in: &Files, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    match make(args, built_in) {
        Ok((place, passed)) => {
            writeln!(out, "{place}: образцов верно / samples passed: {passed}")?;
            writeln!(out, "Дальше: title в manifest.toml, схема ведомства, шаблоны и образцы; после каждого шага")?;
            writeln!(out, "Next: title in manifest.toml, the agency's schema, templates and samples; after each step")?;
            writeln!(out, "    mezhved adapter test {place}")?;
            writeln!(out, "    mezhved adapter preview {place} --type TYPE --sample FILE")?;
            Ok(true)
        }
        Err(reason) => {
            writeln!(err, "{reason}")?;
            Ok(false)
        }
    }
}

fn make(args: &NewArgs, built_in: &Files) -> Result<(String, usize), String> {
    let (name, like) = (&args.name, &args.like);
    RoleCode::parse(name).map_err(|e| format!("имя адаптера / the adapter's name: {e}"))?;
    let adapters = args.dir.config.join("adapters");
    let place = adapters.join(name);
    if place.exists() {
        let shown = place.display();
        return Err(format!("{shown}: уже есть; выберите другое имя / it is there already; choose another name"));
    }
    let files = source(&adapters, like, built_in)?;
    // Beside its place and without a manifest of its own name in it: whoever reads the folder meanwhile sees nothing of it.
    let unfinished = adapters.join(format!(".{name}.new"));
    let io = |what: &Path, e: &dyn std::fmt::Display| format!("{}: {e}", what.display());
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(|e| io(&unfinished, &e))?;
    }
    folder::write(&unfinished, &files).map_err(|e| e.to_string())?;
    std::fs::rename(&unfinished, &place).map_err(|e| io(&place, &e))?;
    let with_new = adapter::with_folders(built_in, std::slice::from_ref(&place))?;
    let results = adapter::check_all(&with_new).map_err(|reasons| reasons.join("\n"))?;
    let passed = results.iter().filter(|r| r.passed()).count();
    if results.is_empty() || !results.iter().all(GoldenResult::passed) {
        return Err(format!(
            "{0}: сделано по образцу `{like}`, который сам не проходит проверку; смотрите / made after `{like}`, which does not pass \
             itself; see: mezhved adapter test {0}",
            place.display()
        ));
    }
    Ok((place.display().to_string(), passed))
}

/// The files of the other adapter by their paths below its folder, its titles changed.
fn source(adapters: &Path, like: &str, built_in: &Files) -> Result<Files, String> {
    let own = adapters.join(like);
    let all =
        if own.join("manifest.toml").is_file() { adapter::with_folders(built_in, &[own])? } else { built_in.clone() };
    let prefix = format!("adapters/{like}/");
    let below = all.into_iter().filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?.to_owned(), bytes)));
    let mut files: Files = below.collect();
    let Some(manifest) = files.get_mut("manifest.toml") else {
        let known: Vec<&str> =
            built_in.keys().filter_map(|path| path.strip_prefix("adapters/")?.strip_suffix("/manifest.toml")).collect();
        return Err(format!(
            "адаптера `{like}` нет; встроенные / there is no adapter `{like}`; built in are: {}",
            known.join(", ")
        ));
    };
    let text = String::from_utf8_lossy(manifest).into_owned();
    *manifest = retitled(&text, like).into_bytes();
    Ok(files)
}

/// The manifest with titles that say that they are to be changed; comments and everything else stay.
fn retitled(manifest: &str, like: &str) -> String {
    let line = |line: &str| match line.split_once('=').map(|(key, _)| key.trim()) {
        Some("title") => format!("title = \"Новое ведомство (по образцу {like})\"\n"),
        Some("title-en") => format!("title-en = \"A new agency (after {like})\"\n"),
        _ => format!("{line}\n"),
    };
    manifest.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle;

    fn new(config: &Path, name: &str, like: &str) -> (bool, String, String) {
        let dir = ConfigDir { config: config.to_owned() };
        let args = NewArgs { dir, name: name.to_owned(), like: like.to_owned() };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let done = run(&args, &bundle::embedded(), &mut out, &mut err).unwrap();
        (done, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_new_adapter_passes_and_may_be_the_example_of_another() {
        let config = tempfile::tempdir().unwrap();
        for (name, like) in [("youth", "police"), ("sport", "youth"), ("culture", "employment")] {
            let (done, out, err) = new(config.path(), name, like);
            assert!(done && out.contains(&format!("adapters/{name}")), "{out}{err}");
        }
        let manifest = std::fs::read_to_string(config.path().join("adapters/sport/manifest.toml")).unwrap();
        assert!(manifest.contains("title = \"Новое ведомство (по образцу youth)\""), "{manifest}");
        assert_eq!(std::fs::read_dir(config.path().join("adapters")).unwrap().count(), 3, "nothing else is left");
    }

    #[test]
    fn what_is_there_stays_and_what_cannot_be_made_leaves_nothing() {
        let config = tempfile::tempdir().unwrap();
        for (name, like, says) in [
            ("youth", "nobody", "built in are: "),
            ("Youth", "police", "lower-case"),
            ("../youth", "police", "lower-case"),
        ] {
            let (done, _, err) = new(config.path(), name, like);
            assert!(!done && err.contains(says), "{err}");
            assert!(!config.path().join("adapters").exists());
        }
        assert!(new(config.path(), "youth", "police").0);
        let (done, _, err) = new(config.path(), "youth", "health");
        assert!(!done && err.contains("already"), "{err}");
    }
}
