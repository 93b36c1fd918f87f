//! `docker/`: no engine builds it here, so what can be checked without one is: that every command, variable, path and name in it is true.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml_ng::Value;

use crate::support::{Balancer, mezhved, run};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap()
}

fn compose() -> Value {
    let mut compose: Value = serde_yaml_ng::from_str(&text("docker/compose.yaml")).unwrap();
    // What is merged merges others: one pass for each storey.
    for _ in 0..3 {
        compose.apply_merge().unwrap();
    }
    compose
}

/// The services whose image is ours, by name.
fn own_services(compose: &Value) -> Vec<(String, &Value)> {
    let services = compose["services"].as_mapping().unwrap().iter();
    let own = services.filter(|(_, service)| service["image"] == "mezhved");
    own.map(|(name, service)| (name.as_str().unwrap().to_owned(), service)).collect()
}

fn words(list: &Value) -> Vec<String> {
    list.as_sequence().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn variables(service: &Value) -> Vec<(String, String)> {
    let all = service["environment"].as_mapping().into_iter().flatten();
    all.map(|(name, value)| (name.as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned())).collect()
}

/// The folder that the service `prepare` makes, made by the same command.
fn prepared(compose: &Value) -> (tempfile::TempDir, PathBuf) {
    let command = words(&compose["services"]["prepare"]["command"]);
    let (folder, addresses) = command.split_first().unwrap();
    assert_eq!(folder, "/etc/mezhved");
    let temporary = tempfile::tempdir().unwrap();
    let own = temporary.path().join("config");
    let prepare = || {
        let mut command = Command::new(root("docker/prepare"));
        run(command.arg(&own).args(addresses).env("MEZHVED", env!("CARGO_BIN_EXE_mezhved"))).done()
    };
    prepare();
    assert!(prepare().stderr.contains("made before"), "a second start changes nothing");
    (temporary, own)
}

#[test]
fn every_node_and_system_of_the_compose_file_starts_with_what_it_is_given() {
    let compose = compose();
    let (_temporary, folder) = prepared(&compose);
    let own = own_services(&compose);
    let (mut nodes, mut systems) = (0, BTreeSet::new());
    for (name, service) in &own {
        let environment = variables(service);
        let strange: Vec<&String> =
            environment.iter().map(|(key, _)| key).filter(|key| !key.starts_with("MEZHVED__")).collect();
        assert_eq!(strange, Vec::<&String>::new(), "{name}");
        let mounts = words(&service["volumes"]);
        assert!(mounts.iter().any(|mount| mount.starts_with("config:/etc/mezhved")), "{name}: {mounts:?}");
        if name == "prepare" {
            continue;
        }
        // The command is one, up to its last word.
        let mut command = words(&service["command"]);
        let help: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        mezhved(&help).done();
        let place = command.iter().position(|word| word == "/etc/mezhved").unwrap();
        command[place] = folder.to_str().unwrap().to_owned();
        match command[0].as_str() {
            "serve" => {
                nodes += 1;
                // Every variable is a setting with a value that is allowed, and the folder is whole under them.
                let arguments = ["config", "check", "--json", "--config", folder.to_str().unwrap()];
                let mut check = Command::new(env!("CARGO_BIN_EXE_mezhved"));
                run(check.args(arguments).envs(environment)).done();
            }
            _ => {
                assert_eq!(&command[..2], ["partner", "simulate"], "{name}");
                systems.insert(command[2].clone());
                assert_eq!(&command[2], name);
            }
        }
    }
    assert_eq!(nodes, 2);
    let participants = std::fs::read_dir(folder.join("participants")).unwrap().map(|entry| entry.unwrap().path());
    let participants = participants.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let ids: BTreeSet<String> =
        participants.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(systems, ids, "each participant has its simulated system");
}

#[test]
fn what_the_compose_file_names_is_there() {
    let compose = compose();
    let services = compose["services"].as_mapping().unwrap();
    let volumes = compose["volumes"].as_mapping().unwrap();
    for (name, service) in services {
        for mount in words(&service["volumes"]) {
            let (from, _) = mount.split_once(':').unwrap();
            let is_there = match from.strip_prefix("./") {
                Some(file) => root("docker").join(file).is_file(),
                None => volumes.contains_key(from),
            };
            assert!(is_there, "{name:?}: {mount}");
        }
        for (other, condition) in service["depends_on"].as_mapping().into_iter().flatten() {
            let other = services.get(other).unwrap_or_else(|| panic!("{name:?} waits for {other:?}"));
            let needs_check = condition["condition"] == "service_healthy";
            let has_check = other["image"] == "mezhved" || !other["healthcheck"].is_null();
            assert!(!needs_check || has_check, "{name:?}: {other:?}");
        }
        // Nothing of the trial is reached from other machines.
        for port in words(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name:?}: {port}");
        }
    }
    // The balancer's configuration is one, with the variables that the service gives; the nodes' names need not resolve yet.
    Balancer::check(&variables(&compose["services"]["balancer"]));
    // Prometheus asks the nodes by their names there.
    let prometheus = text("docker/prometheus/prometheus.yml");
    for (name, _) in own_services(&compose).iter().filter(|(_, service)| words(&service["command"])[0] == "serve") {
        assert!(prometheus.contains(&format!("{name}:9464")), "{name}");
    }
}

/// The folders at the top that the program is compiled from: those that the sources include, and what cargo names.
fn compiled_from() -> BTreeSet<String> {
    let mut folders = BTreeSet::from(["src".to_owned(), "benches".to_owned(), "Cargo.toml".to_owned()]);
    folders.extend(["Cargo.lock", "build.rs", "templates", "static"].map(str::to_owned));
    let build = text("build.rs");
    let embedded = build.split('"').filter(|word| root(word).is_dir() && !word.is_empty() && !word.contains('/'));
    folders.extend(embedded.map(str::to_owned));
    folders
}

#[test]
fn the_image_is_built_from_everything_that_is_compiled_in_and_runs_as_nobody() {
    let ignore = text(".dockerignore");
    let sent: BTreeSet<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignore.lines().any(|line| line == "*"), "what is not named stays outside");
    let compiled = compiled_from();
    assert!(compiled.len() > 8, "{compiled:?}");
    let missing: Vec<&String> = compiled.iter().filter(|name| !sent.contains(name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new());
    for name in &sent {
        assert!(root(name).exists(), "{name}");
    }
    let dockerfile = text("docker/Dockerfile");
    for line in dockerfile.lines().filter(|line| line.starts_with("COPY") && !line.contains("--from=")) {
        let sources = line.split_whitespace().skip(1).filter(|word| !word.starts_with("--"));
        let sources: Vec<&str> = sources.collect();
        for source in &sources[..sources.len() - 1] {
            assert!(*source == "." || sent.contains(source), "{line}");
        }
    }
    let line =
        |start: &str| dockerfile.lines().rfind(|line| line.contains(start)).unwrap_or_else(|| panic!("no {start}"));
    assert!(!line("USER ").ends_with("root") && !line("USER ").contains(" 0"), "{}", line("USER "));
    for start in ["HEALTHCHECK", "CMD ["] {
        let list: Vec<String> = serde_json::from_str(line(start).split_once("CMD ").unwrap().1).unwrap();
        let words = list.iter().map(String::as_str).filter(|word| *word != "mezhved");
        mezhved(&words.chain(["--help"]).collect::<Vec<_>>()).done();
    }
    // The compiler is at least what Cargo.toml asks for.
    let version = |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap()).collect() };
    let asked =
        text("Cargo.toml").lines().find_map(|l| l.strip_prefix("rust-version = \"").map(str::to_owned)).unwrap();
    let used = dockerfile.split("library/rust:").nth(1).unwrap().split('-').next().unwrap();
    assert!(version(used) >= version(asked.trim_end_matches('"')), "{used} {asked}");
}
