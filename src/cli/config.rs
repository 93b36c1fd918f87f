//! `mezhved config`.

use std::process::ExitCode;

use serde_json::json;

use super::{ConfigDir, Failure};
use crate::app::{read_folder, signer};
use crate::deadline::Severity;
use crate::gateway::Clock;
use crate::gateway::snapshot::compile;
use crate::settings::Settings;

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
            print!("{}", Settings::defaults());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(dir: &ConfigDir, as_json: bool) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&dir.config)?;
    signer(&settings)?;
    let own = read_folder(&dir.config)?;
    let now = Clock::default().business_now();
    let compiled = compile((1, &own.participants), (1, &own.bundle), &settings.gateway.id, now);
    let errors = compiled.findings.iter().filter(|f| f.severity == Severity::Error).count();
    if as_json {
        let report = json!({ "ok": errors == 0, "findings": compiled.findings });
        println!("{report}");
    } else {
        for finding in &compiled.findings {
            let word = match finding.severity {
                Severity::Error => "ошибка / error",
                Severity::Warning => "замечание / warning",
            };
            println!("{word}: {finding}");
        }
        let warnings = compiled.findings.len().saturating_sub(errors);
        println!("ошибок / errors: {errors}, замечаний / warnings: {warnings}");
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
