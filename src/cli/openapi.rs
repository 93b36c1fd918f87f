//! `mezhved openapi`: the description of the console's JSON API.

use std::process::ExitCode;

use super::Failure;
use crate::console;

const HELP: &str = "\
То же отдаёт работающий узел: GET /api/v1/openapi.json. Как им пользоваться: docs/scripts.ru.md

A running node serves the same: GET /api/v1/openapi.json. How to use it: docs/scripts.en.md

Пример / example:
  mezhved openapi > openapi.json";

/// Напечатать описание JSON API консоли (OpenAPI 3.1) / print the description of the console's JSON API (OpenAPI 3.1)
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<ExitCode, Failure> {
    say!("{}", serde_json::to_string_pretty(console::openapi())?)?;
    Ok(ExitCode::SUCCESS)
}
