//! `--help` of each command, wrong usage, and the exit status.

use crate::support::mezhved;

/// The subcommands that a help text lists.
fn subcommands(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1).take_while(|line| !line.is_empty());
    // Further lines of a description are indented deeper.
    let named = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    named.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn walk(path: &[&str], seen: &mut Vec<String>) {
    let shown = mezhved(&[path, &["--help"]].concat()).done();
    let help = &shown.stdout;
    let russian = help.chars().any(|c| ('а'..='я').contains(&c));
    assert!(russian && help.contains("Usage: mezhved"), "{path:?} teaches nothing: {help}");
    let below = subcommands(help);
    if below.is_empty() {
        seen.push(path.join(" "));
    }
    for name in &below {
        walk(&[path, &[name.as_str()]].concat(), seen);
    }
}

#[test]
fn every_command_teaches_itself_in_russian() {
    let mut seen = Vec::new();
    walk(&[], &mut seen);
    // People and checks script these.
    for command in [
        "serve",
        "config check",
        "partner apply",
        "partner diff",
        "partner export",
        "partner list",
        "key generate",
        "key show",
        "key token",
        "envelope sign",
        "envelope verify",
        "envelope show",
        "schema check",
        "adapter test",
        "deadline compute",
        "deadline explain",
        "deadline extend",
        "deadline fulfil",
        "deadline list",
        "deadline note",
        "deadline waive",
        "message list",
        "message show",
        "message replay",
        "journal verify",
        "journal export",
    ] {
        assert!(seen.iter().any(|s| s == command), "no `{command}` in {seen:?}");
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for arguments in [
        &["no-such-command"][..],
        &["serve", "--no-such-option"],
        &["message", "show"],
        &["message", "show", "not-an-id"],
        &["message", "replay"],
        &["message", "list", "--limit", "0"],
        &["schema", "check"],
        &["deadline", "compute", "--term", "3 days"],
        &["key", "generate", "--name", "a"],
        &["envelope", "verify", "x.xml"],
    ] {
        let wrong = mezhved(arguments);
        assert_eq!(wrong.status, Some(2), "{wrong}");
        assert!(wrong.stdout.is_empty() && !wrong.stderr.is_empty(), "{wrong}");
    }
}

#[test]
fn a_term_is_counted_as_the_law_counts() {
    let line = [
        "deadline",
        "compute",
        "--term",
        "3 working days",
        "--roll",
        "forward",
        "--zone",
        "Asia/Yekaterinburg",
        "--from",
        "2026-05-06T10:00:00+05:00",
    ];
    assert_eq!(mezhved(&line).done().json()["due"], "2026-05-12T23:59:59+05:00");
    let refused = mezhved(&[&line[..3], &["3 workin days"], &line[4..]].concat());
    assert!(refused.status == Some(1) && refused.stderr.contains('^'), "{refused}");
}
