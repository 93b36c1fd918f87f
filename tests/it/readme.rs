//! The commands that README and the agencies' guide print, run as they are printed: a newcomer must come to the end.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::demo::Live;
use crate::support::{Finished, Gateway, GatewayCommand, run};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Where the pages say that the gateway listens; in the tests it takes a free port.
const SAID: &str = "http://127.0.0.1:8080";

#[test]
fn the_english_pages_lead_to_a_delivered_message() {
    follow(
        "README.md",
        "## Your own folder",
        "docs/agencies.en.md",
        ["## A worked example", "## A file beside the envelope", "## An example without an envelope"],
    );
}

#[test]
fn the_russian_pages_lead_to_a_delivered_message() {
    follow(
        "README.ru.md",
        "## Своя папка",
        "docs/agencies.ru.md",
        ["## Пример целиком", "## Файл вне конверта", "## Пример без конверта"],
    );
}

#[test]
fn the_english_guide_leads_to_a_new_agency_in_the_demonstration() {
    new_agency("docs/administrators.en.md", "### The whole way, in the demonstration");
}

#[test]
fn the_russian_guide_leads_to_a_new_agency_in_the_demonstration() {
    new_agency("docs/administrators.ru.md", "### Весь путь в демонстрации");
}

/// The demonstration of the first block goes on in a window of its own; the others are one shell.
fn new_agency(guide: &str, heading: &str) {
    let place = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(Path::new(ROOT).join("schemas"), place.path().join("schemas")).unwrap();
    let folder = place.path().join("try");
    std::fs::create_dir(&folder).unwrap();
    let blocks = commands(guide, heading);
    assert_eq!(blocks[0].trim(), "mezhved demo --keep demo");
    let live = Live::keeping(&folder.join("demo"));
    let line = live.line_with("шлюз / gateway");
    let gateway = &line[line.find("http://").unwrap()..];
    let whole: Vec<String> = blocks[1..].iter().map(|block| replaced(block, gateway)).collect();
    let done = bash(&folder, &format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{}", whole.join("\n"))).done();
    let answered =
        done.stdout.lines().any(|line| line.contains("document-response") && line.contains("youth-affairs → register"));
    assert!(answered, "{done}");
    let kept = |start: &str| done.stdout.lines().any(|line| line.contains(&format!("/envelopes/{start}")));
    assert!(kept("in-register-") && kept("out-"), "asked and answered in its own form: {done}");
}

/// The block with the gateway's address where it says one.
fn replaced(block: &str, gateway: &str) -> String {
    block.replace(&format!("gateway={SAID}"), &format!("gateway={gateway}"))
}

fn follow(readme: &str, own_folder: &str, guide: &str, examples: [&str; 3]) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("try");
    std::fs::create_dir(&folder).unwrap();
    for part in ["schemas", "adapters"] {
        std::os::unix::fs::symlink(Path::new(ROOT).join(part), place.path().join(part)).unwrap();
    }
    let blocks = commands(readme, own_folder);
    // The first one makes the folder and finds the program, which is done here in another way.
    let serve = blocks.iter().position(|block| block.contains("mezhved serve")).unwrap();
    for block in &blocks[1..serve] {
        let done = bash(&folder, block).done();
        if block.contains("config check") {
            assert!(done.stdout.contains("errors: 0"), "{done}");
        }
    }
    let gateway = GatewayCommand::serve(&folder)
        .env("MEZHVED__AGENCIES__LISTEN", "127.0.0.1:0")
        .env("MEZHVED__CONSOLE__LISTEN", "127.0.0.1:0")
        .start();
    for block in &blocks[serve + 1..] {
        bash(&folder, &at(block, &gateway)).done();
    }
    // The example goes on from one block to the next with shell variables, in one shell.
    let blocks = examples.iter().flat_map(|example| commands(guide, example));
    let whole: Vec<String> = blocks.map(|block| at(&block, &gateway)).collect();
    let done = bash(&folder, &whole.join("\n")).done();
    assert!(done.stdout.contains("\"state\":\"delivered\""), "{done}");
    assert!(done.stdout.contains("\"sizeBytes\":3000000"), "{done}");
    assert!(done.stdout.contains("\"signedOnBehalf\":true"), "{done}");
    assert_eq!(std::fs::read(folder.join("act-read.pdf")).unwrap().len(), 3_000_000, "{done}");
}

/// The blocks of shell commands below a heading, up to the next one of its rank.
pub(crate) fn commands(page: &str, heading: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
    let (_, below) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{page} has no {heading:?}"));
    let section = below.split("\n## ").next().unwrap();
    let parts = section.split("\n```");
    parts.filter_map(|part| part.strip_prefix("sh\n")).map(str::to_owned).collect()
}

fn at(block: &str, gateway: &Gateway) -> String {
    block.replace(SAID, gateway.agencies())
}

pub(crate) fn bash(folder: &Path, script: &str) -> Finished {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_mezhved"));
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().unwrap().display());
    let strict = format!("set -euo pipefail\n{script}");
    run(Command::new("bash").arg("-c").arg(strict).current_dir(folder).env("PATH", path))
}
