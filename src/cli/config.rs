//! `mezhved config`.

use std::process::ExitCode;

use super::{ConfigDir, Failure, findings};
use crate::app::{read_folder, signer, voices};
use crate::bundle::Files;
use crate::deadline::{Finding, Regulations, Severity};
use crate::domain::TransportKind;
use crate::gateway::Clock;
use crate::gateway::snapshot::compile;
use crate::settings::{Settings, participants};

/// Проверить или показать настройки / check or show the configuration
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Проверить папку целиком, ничего не меняя / check the whole folder and change nothing: settings, key, participants,
    /// regulations, calendars, adapters, schemas. Exit status 1 when anything is an error
    Check {
        #[command(flatten)]
        dir: ConfigDir,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Показать все ключи со значениями по умолчанию / print every key with its default and a comment
    Defaults,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Check { dir, json } => check(&dir, json),
        Command::Defaults => {
            say_part!("{}", Settings::defaults())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(dir: &ConfigDir, as_json: bool) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&dir.config)?;
    signer(&settings)?;
    voices(&settings)?;
    let own = read_folder(&dir.config)?;
    let now = Clock::default().business_now();
    let compiled = compile((1, &own.participants), (1, &own.bundle), &settings.gateway.id, now);
    let findings: Vec<Finding> = compiled
        .findings
        .into_iter()
        .chain(without_broker(&settings, &own.participants))
        .chain(without_secrets(&settings, &own.participants))
        .chain(untold(&settings, &own.bundle))
        .collect();
    findings::report(&findings, as_json)
}

/// Steps of the ladder at which nobody is told, because the settings do not have the group.
fn untold(settings: &Settings, files: &Files) -> Vec<Finding> {
    let warning = |file: &str, line, ru: String, en: String| Finding {
        severity: Severity::Warning,
        file: file.to_owned(),
        line,
        column: 0,
        ru,
        en,
    };
    if !settings.notify.is_on() {
        let ru = "[notify.groups] пуст: о сроках никому не сообщают, просрочки видны только на странице и в `mezhved deadline list`";
        let en = "[notify.groups] is empty: nobody is told of deadlines, what is overdue shows only on the page and in `mezhved deadline list`";
        return vec![warning("settings.toml", 0, ru.to_owned(), en.to_owned())];
    }
    let regulations = Regulations::from_files(files).unwrap_or_default();
    let mut found = Vec::new();
    for regulation in regulations.iter() {
        for rung in &regulation.escalation {
            let missing = rung.to.iter().filter(|name| {
                settings.notify.groups.get(*name).is_none_or(|g| g.mail.is_empty() && g.webhook.is_empty())
            });
            for group in missing {
                found.push(warning(
                    &regulation.file,
                    rung.line,
                    format!("ступень `{}`: в [notify.groups] нет адресов группы `{group}`, ей не сообщат", rung.at),
                    format!(
                        "step `{}`: [notify.groups] has no address of the group `{group}`, it is told nothing",
                        rung.at
                    ),
                ));
            }
        }
    }
    found
}

/// Participants that use the broker while this node has none: nothing could be handed to them.
fn without_broker(settings: &Settings, files: &Files) -> Vec<Finding> {
    if !settings.broker.url.is_empty() {
        return Vec::new();
    }
    let people = participants::parse(files).unwrap_or_default();
    let users = people.iter().filter(|p| p.transport == TransportKind::Amqp);
    users
        .map(|p| Finding {
            severity: Severity::Error,
            file: format!("participants/{}.toml", p.id),
            line: 0,
            column: 0,
            ru: format!("`{}` использует RabbitMQ, а broker.url в settings.toml не задан", p.id),
            en: format!("`{}` uses RabbitMQ, but broker.url in settings.toml is empty", p.id),
        })
        .collect()
}

/// Participants without envelopes to whom this node could not prove itself.
fn without_secrets(settings: &Settings, files: &Files) -> Vec<Finding> {
    let people = participants::parse(files).unwrap_or_default();
    let wrong = people.iter().filter_map(|p| {
        let problem = settings.read_secret(&p.id, p.framing.plain()?.auth).err()?;
        let path = problem.path.display();
        Some(Finding {
            severity: Severity::Error,
            file: format!("participants/{}.toml", p.id),
            line: 0,
            column: 0,
            ru: format!("auth: {path}: {}", problem.ru),
            en: format!("auth: {path}: {}", problem.en),
        })
    });
    wrong.collect()
}
