//! The harness itself: a test that cannot fail is a defect, and so is a harness that hides a failure.

use std::path::Path;

use crate::support::{Gateway, GatewayCommand, mezhved, run};

/// Says the ready line as the gateway does, a word on standard error, and stops with status 3 on SIGTERM.
const STAND_IN: &str = "trap 'echo draining; exit 3' TERM
echo starting $GREETING >&2
echo ready agencies=http://127.0.0.1:1 console=http://127.0.0.1:2
while :; do sleep 0.05; done";

fn stand_in() -> Gateway {
    GatewayCommand::other("sh", &["-c", STAND_IN]).env("GREETING", "hello").start()
}

#[test]
fn a_gateway_is_started_stopped_killed_and_restarted() {
    let mut gateway = stand_in();
    assert_eq!((gateway.agencies(), gateway.console()), ("http://127.0.0.1:1", "http://127.0.0.1:2"));
    assert_eq!(gateway.stop(), Some(3));
    gateway.restart();
    gateway.kill();
    gateway.restart();
    // Ended, so that everything it said on both streams has been read.
    gateway.kill();
    let log = gateway.log();
    assert_eq!(log.matches("starting hello").count(), 3, "{log}");
    assert_eq!(log.matches("ready agencies=").count(), 3, "{log}");
}

#[test]
fn a_gateway_ends_with_its_test() {
    let gateway = GatewayCommand::other("sh", &["-c", &format!("echo pid $$; {STAND_IN}")]).start();
    let log = gateway.log();
    let pid = log.lines().find_map(|line| line.strip_prefix("pid ")).unwrap();
    assert!(Path::new("/proc").join(pid).exists());
    drop(gateway);
    assert!(!Path::new("/proc").join(pid).exists());
}

#[test]
fn a_gateway_that_is_never_ready_is_an_error_with_its_words() {
    let table = [
        ("echo the database is missing >&2; exit 1", "the database is missing"),
        ("echo ready soon; echo 'ready agencies= '; exit 1", "ready soon"),
    ];
    for (script, said) in table {
        let Err(reason) = GatewayCommand::other("sh", &["-c", script]).try_start() else { panic!("{script}") };
        let whole = ["ended before it was ready (exit status: 1)", said].iter().all(|part| reason.contains(part));
        assert!(whole, "{script}: {reason}");
    }
}

#[test]
fn without_its_settings_the_gateway_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let Err(reason) = GatewayCommand::serve(&absent).try_start() else { panic!("it started without settings") };
    assert!(reason.contains("ended before it was ready"), "{reason}");
    let (_, said) = reason.split_once("it said:").unwrap();
    assert!(said.contains(absent.to_str().unwrap()), "it does not name the folder: {reason}");
}

#[test]
fn help_names_the_commands() {
    let help = mezhved(&["--help"]).done();
    for command in ["serve", "partner", "deadline", "message"] {
        assert!(help.stdout.contains(&format!("  {command} ")), "{command}: {help}");
    }
}

#[test]
fn a_program_is_run_to_its_end() {
    let failed = run(std::process::Command::new("sh").args(["-c", "echo '{\"out\":1}'; echo err >&2; exit 7"]));
    assert_eq!((failed.status, failed.stderr.as_str()), (Some(7), "err\n"));
    assert_eq!(failed.json()["out"], 1);
    let outcome = std::panic::catch_unwind(|| failed.done());
    assert!(outcome.is_err(), "a failed program passed for a done one");
}
