//! `mezhved regulation`: the rules of the folder as a person reads them, and whether they fit what surrounds them.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{ConfigDir, Failure, findings, regulation_json, regulation_show, table};
use crate::bundle::Files;
use crate::deadline::{Calendars, CheckInput, Finding, Regulation, Regulations, Severity};
use crate::domain::Participant;
use crate::gateway::Clock;
use crate::settings::{folder, participants};

/// Регламенты: роли, обмен, сроки / regulations: roles, exchange, deadlines
///
/// Читается папка настроек, а без неё встроенный регламент. Чем папка отличается от действующего, говорит `mezhved partner diff`.
///
/// What is read is the configuration folder, or the built-in regulation without it. `mezhved partner diff` tells how the folder differs
/// from what is in force.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

const SHOW_HELP: &str = "\
«Редакция не проверена» стоит там, где у документа нет checked_on: никто не сверил файл с официальным текстом.

The edition is called unchecked where the document has no checked_on: nobody compared the file with the official text.

Пример / example:
  mezhved regulation show yugra";

const CHECK_HELP: &str = "\
Проверяется то же, что в `mezhved config check`, но только о регламентах: чтение файлов, роли и их исполнители, сообщения и их поля, \
календарь на год вперёд, цепочки сроков и их нормы, чего не хватает по ч. 2 ст. 28 442-ФЗ, что выключено. Код возврата 1, если есть ошибка; замечание ничего не останавливает.

The same as in `mezhved config check`, but only about regulations: reading the files, roles and their holders, messages and their fields, \
the calendar a year ahead, chains of terms and their norms, what art. 28 part 2 of 442-FZ wants and the file lacks, what is off. Exit status 1 on an error; a warning stops nothing.";

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Перечислить / list
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Показать один: роли и кто их исполняет, участники с основаниями и видами деятельности, обмен, требования, механизм, контроль, сроки с
    /// источником, цитатой и прочтением, что выключено и почему / show one:
    /// roles and who holds them, bodies with their basis and activities, exchanges, requirements, mechanism, control, deadlines with
    /// source, quote and reading, what is off and why
    #[command(after_help = SHOW_HELP)]
    Show {
        /// Имя из `regulation list` / the id, as `regulation list` shows it
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        dir: ConfigDir,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Проверить регламенты папки / check the folder's regulations
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        dir: ConfigDir,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::List { dir, json } => list(&regulations(dir)?, dir.origin("regulations"), *json),
        Command::Show { id, dir, json } => {
            let regulations = regulations(dir)?;
            let regulation = regulations.get(id).ok_or_else(|| unknown(id, &regulations))?;
            // Who holds which role is told where it can be read; `check` says why it cannot.
            let people = participants::parse(&folder::participants(&dir.config)?).unwrap_or_default();
            if *json {
                say!("{}", serde_json::to_string_pretty(&regulation_json::as_json(regulation, &people))?)?;
            } else {
                say_part!("{}", regulation_show::as_text(regulation, &people))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { dir, json } => {
            findings::report(&check(&folder::participants(&dir.config)?, &dir.bundle()?), *json)
        }
    }
}

fn regulations(dir: &ConfigDir) -> Result<Regulations, Failure> {
    Regulations::from_files(&dir.bundle()?).map_err(|found| findings::refused(&found))
}

fn unknown(id: &str, regulations: &Regulations) -> Failure {
    let known: Vec<&str> = regulations.iter().map(|r| r.id.as_str()).collect();
    Failure::new(format!(
        "регламента `{id}` нет / there is no regulation `{id}`; есть / there are: {}",
        known.join(", ")
    ))
}

fn list(regulations: &Regulations, origin: &str, as_json: bool) -> Result<ExitCode, Failure> {
    let unchecked = |r: &Regulation| r.documents.iter().filter(|d| d.checked_on.is_none()).count();
    let off = |r: &Regulation| r.rules.iter().filter(|rule| rule.off.is_some()).count();
    if as_json {
        let rows = regulations.iter().map(|r| {
            json!({
                "id": r.id, "title": r.title, "file": r.file, "zone": r.zone, "calendar": r.calendar,
                "effectiveFrom": r.effective_from, "rules": r.rules.len(), "off": off(r), "documents": r.documents.len(),
                "documentsUnchecked": unchecked(r),
            })
        });
        say!("{}", Value::from(rows.collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = regulations
        .iter()
        .map(|r| {
            let rules = if off(r) > 0 {
                format!("{}, выключено / off {}", r.rules.len(), off(r))
            } else {
                r.rules.len().to_string()
            };
            let documents =
                format!("{}, редакция не проверена / edition unchecked: {}", r.documents.len(), unchecked(r));
            let title = format!("{} / {}", r.title.ru, r.title.en);
            vec![
                r.id.clone(),
                title,
                r.zone.to_string(),
                r.effective_from.to_string(),
                rules,
                documents,
                origin.to_owned(),
            ]
        })
        .collect();
    let heads = [
        "id",
        "название / title",
        "пояс / zone",
        "действует с / from",
        "сроков / deadlines",
        "документов / documents",
        "откуда / origin",
    ];
    table::print(&heads, &rows)?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that is wrong or worth a look about the regulations of these files, errors first.
fn check(people: &Files, bundle: &Files) -> Vec<Finding> {
    let mut findings = Vec::new();
    let people = participants::parse(people).unwrap_or_else(|problems| {
        // Without the participants nobody knows who holds which role.
        findings.extend(problems.iter().map(|p| Finding {
            severity: Severity::Error,
            file: p.file.clone(),
            line: p.line,
            column: 0,
            ru: p.ru.clone(),
            en: p.en.clone(),
        }));
        Vec::new()
    });
    let calendars = Calendars::from_files(bundle).map_err(|found| findings.extend(found)).ok();
    let regulations = Regulations::from_files(bundle).map_err(|found| findings.extend(found)).ok();
    if let (Some(calendars), Some(regulations)) = (&calendars, &regulations) {
        let now = Clock::default().business_now();
        let input = CheckInput { participants: &people, calendars, files: bundle, now };
        findings.extend(regulations.iter().flat_map(|r| crate::deadline::check(r, &input)));
        findings.extend(strangers(&people, regulations));
    }
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.file.cmp(&b.file)).then(a.line.cmp(&b.line)));
    findings
}

/// Participants of a regulation that is not there.
fn strangers(people: &[Participant], regulations: &Regulations) -> Vec<Finding> {
    let strangers = people.iter().filter(|p| regulations.get(&p.regulation).is_none());
    strangers
        .map(|p| Finding {
            severity: Severity::Error,
            file: format!("participants/{}.toml", p.id),
            line: 0,
            column: 0,
            ru: format!("регламента `{0}` нет; добавьте regulations/{0}.toml", p.regulation),
            en: format!("the regulation `{0}` is not there; add regulations/{0}.toml", p.regulation),
        })
        .collect()
}
