//! Holds the house together: no module imports upwards, the pure floors stay pure, files stay readable, and there is
//! one cryptographic library.
//!
//! The order is written once, in [`HOUSE`]. The checker reads `src/` as tokens (comments and strings do not count) and
//! follows every path that begins with `crate`, `mezhved` or `super`. `docs/architecture.md` has the picture.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a panic is how a test says no")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Floor and rooms, the earlier room first. A room imports from floors below and from earlier rooms of its own floor.
const HOUSE: [(u8, &str); 8] = [
    (1, "domain"),
    (2, "bundle xml crypto envelope schema body adapter deadline report retry access search"),
    (3, "settings"),
    (4, "store client vault"),
    (5, "transport"),
    (6, "gateway"),
    (7, "api console"),
    (8, "app system simulate demo bench cli main"),
];

/// The highest floor that does no I/O, reads no clock, draws no randomness and is not async.
const PURE_FLOOR_MAX: u8 = 2;

/// What a pure floor may not name outside of its unit tests, and why.
const IMPURE: [(&[&str], &str); 18] = [
    (&["std", "fs"], "it would read the file system; take bytes or text as an argument"),
    (&["std", "net"], "it would use the network; take bytes as an argument"),
    (&["std", "env"], "it would read the environment; take the value as an argument"),
    (&["std", "process"], "it would start or end a process"),
    (&["SystemTime"], "it would read the clock; take `now` as an argument"),
    (&["time", "Instant"], "it would read the clock; take `now` as an argument"),
    (&["Utc", "now"], "it would read the clock; take `now` as an argument"),
    (&["Local", "now"], "it would read the clock; take `now` as an argument"),
    (&["rand"], "it would draw randomness; take a seed or the value as an argument"),
    (&["Uuid", "new_v4"], "it would draw randomness; take the id as an argument"),
    (&["Uuid", "now_v7"], "it would read the clock and draw randomness; take the id as an argument"),
    (&["async"], "pure floors are not async"),
    (&["tokio"], "pure floors are not async"),
    (&["sqlx"], "SQL belongs to the store"),
    (&["axum"], "HTTP belongs to api, console and transport"),
    (&["reqwest"], "HTTP belongs to transport"),
    (&["lapin"], "AMQP belongs to transport"),
    (&["tempfile"], "it would write to the file system"),
];

/// The one place of the pure floors that may draw randomness: making keys.
const RANDOMNESS_ALLOWED_IN: &str = "crypto::generate";

const FILE_LINES_MAX: usize = 500;

/// OpenSSL is the one cryptographic library, for signatures and for TLS.
const BANNED_CRATES: [&str; 7] =
    ["aws-lc-rs", "aws-lc-sys", "boring", "hyper-rustls", "ring", "rustls", "rustls-webpki"];

#[test]
fn no_module_imports_upwards_and_the_pure_floors_stay_pure() {
    let files = rust_files("src");
    assert!(files.len() > 10, "only {} files found under src/", files.len());
    report("src/ breaks the order of the house", check(&files));
}

#[test]
fn every_file_can_be_read_in_one_sitting() {
    let long = rust_files("src").into_iter().chain(rust_files("tests")).filter_map(|(file, text)| {
        let lines = text.lines().count();
        (lines > FILE_LINES_MAX)
            .then(|| format!("{file}: {lines} lines, at most {FILE_LINES_MAX}; split it by purpose"))
    });
    report("files too long to read", long.collect());
}

#[test]
fn openssl_is_the_only_cryptographic_library() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--all-features", "--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "cargo tree: {}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let built: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(built.contains("openssl"), "cargo tree did not list openssl:\n{tree}");
    let found = BANNED_CRATES.iter().filter(|name| built.contains(*name));
    let found =
        found.map(|name| format!("{name} is built; see `cargo tree --invert {name}` and turn that feature off"));
    report("a second cryptographic library came in", found.collect());
}

/// Sources with the violation they must cause, by a part of its message; an empty part means none.
#[test]
fn the_checker_sees_what_it_must() {
    let table: [(&str, &str, &str); 29] = [
        ("src/xml/mod.rs", "use crate::domain::Fault;", ""),
        ("src/crypto/mod.rs", "use crate::xml::Reader;\nuse super::bundle;", ""),
        ("src/xml/mod.rs", "\nuse crate::store::Db;", "src/xml/mod.rs:2: xml (floor 2) uses store (floor 4)"),
        ("src/xml/mod.rs", "use crate::crypto::Key;", "xml (floor 2, room 2) uses the later room crypto"),
        ("src/store/mod.rs", "use crate::{domain::Id, api::{self, v1}};", "store (floor 4) uses api (floor 7)"),
        ("src/store/mod.rs", "use crate::{\n  domain::Id,\n  gateway::{a, b},\n};", "src/store/mod.rs:3: store"),
        ("src/store/mod.rs", "fn f() { crate::gateway::run() }", "uses gateway"),
        ("src/store/mod.rs", "fn f() { mezhved::gateway::run() }", "uses gateway"),
        ("src/store/sql/text.rs", "use super::super::super::gateway::X;", "uses gateway"),
        ("src/store/sql/text.rs", "use super::super::gateway::X;", ""),
        ("src/store/mod.rs", "mod inner { use super::super::gateway; }", "uses gateway"),
        ("src/store/mod.rs", "mod inner { use super::gateway; }", ""),
        ("src/store/mod.rs", "macro_rules! m { () => { $crate::gateway::run() } }", "uses gateway"),
        (
            "src/store/mod.rs",
            "// crate::gateway::X\n/* /* crate::api */ crate::api::X */\nconst S: &str = \"crate::api::X\";",
            "",
        ),
        (
            "src/store/mod.rs",
            "const S: &str = r#\"\"crate::api::X\"#; fn f<'a>(c: &'a char) -> bool { *c == '\"' }",
            "",
        ),
        ("src/store/mod.rs", "const C: char = '\\'';\nuse crate::api::X;", "src/store/mod.rs:2: store"),
        ("src/store/mod.rs", "mod inner { use self::super::super::gateway; }", "uses gateway"),
        ("src/store/mod.rs", "/*/ crate::api::X */", ""),
        ("src/store/mod.rs", "pub(crate) fn f() {}\npub(in crate::store) fn g() {}", ""),
        ("src/store/mod.rs", "use crate::*;", "names the crate's root"),
        ("src/store/mod.rs", "use crate as root;", "names the crate's root"),
        ("src/attic/mod.rs", "", "`attic` has no floor"),
        ("src/store/mod.rs", "use crate::attic::X;", "`attic` has no floor"),
        ("src/retry/mod.rs", "use std::{fmt, fs::File};", "src/retry/mod.rs:1: retry is pure"),
        ("src/retry/mod.rs", "use std::time::{Duration, Instant};", "it would read the clock"),
        ("src/retry/mod.rs", "enum When { Instant(u8) }", ""),
        ("src/retry/mod.rs", "async fn f() {}", "pure floors are not async"),
        ("src/retry/mod.rs", "#[cfg(test)]\nmod tests { use std::fs; }\nstruct S;", ""),
        ("src/crypto/generate.rs", "fn f() { openssl::rand::rand_bytes(b) }", ""),
    ];
    for (file, text, expected) in table {
        let found = check(&[(file.to_owned(), text.to_owned())]);
        let as_expected =
            if expected.is_empty() { found.is_empty() } else { found.len() == 1 && found[0].contains(expected) };
        assert!(as_expected, "{file}\n{text}\nexpected: {expected:?}\nfound: {found:#?}");
    }
    let tests_file = [
        ("src/retry/mod.rs".to_owned(), "#[cfg(test)]\nmod vectors;".to_owned()),
        ("src/retry/vectors.rs".to_owned(), "use std::fs;\nuse crate::store::X;".to_owned()),
    ];
    let found = check(&tests_file);
    assert!(found.len() == 1 && found[0].contains("uses store"), "{found:#?}");
}

fn report(what: &str, violations: Vec<String>) {
    assert!(violations.is_empty(), "{what}:\n  {}\n", violations.join("\n  "));
}

/// Every `.rs` file under a folder of the project, by its path from the project's root.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![root.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// The violations of all files, each as `file:line: what, and the way out`.
fn check(files: &[(String, String)]) -> Vec<String> {
    let parsed: Vec<Source> = files.iter().map(|(name, text)| Source::parse(name, text)).collect();
    let test_modules: BTreeSet<String> = parsed.iter().flat_map(|source| source.test_modules.iter().cloned()).collect();
    let mut found = Vec::new();
    for source in parsed.iter().filter(|source| !source.module.is_empty()) {
        let room = &source.module[0];
        let Some(place) = place(room) else {
            found.push(format!(
                "{}:1: `{room}` has no floor; give it one in HOUSE in tests/architecture.rs",
                source.file
            ));
            continue;
        };
        for (line, path) in &source.house_paths {
            found.extend(upward(room, place, path).map(|why| format!("{}:{line}: {why}", source.file)));
        }
        let module = source.module.join("::");
        let is_test = test_modules.iter().any(|test| module == *test || module.starts_with(&format!("{test}::")));
        if place.0 <= PURE_FLOOR_MAX && !is_test {
            let found_here = source.impure(&module);
            found.extend(found_here.map(|(line, why)| format!("{}:{line}: {room} is pure: {why}", source.file)));
        }
    }
    found.dedup();
    found
}

/// Floor and number of a room within it, from 1.
fn place(room: &str) -> Option<(u8, usize)> {
    HOUSE.iter().find_map(|(floor, rooms)| Some((*floor, rooms.split(' ').position(|name| name == room)? + 1)))
}

/// Why `path`, from the crate's root, may not be used in `room`.
fn upward(room: &str, (floor, number): (u8, usize), path: &[String]) -> Option<String> {
    let target = match path.first().map(String::as_str) {
        None | Some("*" | "self") => return Some("names the crate's root; name the room that is meant".to_owned()),
        Some(target) if target == room => return None,
        Some(target) => target,
    };
    match place(target) {
        None => Some(format!("`{target}` has no floor; name the room it comes from, or give it a floor in HOUSE")),
        Some((above, _)) if above > floor => Some(format!(
            "{room} (floor {floor}) uses {target} (floor {above}); move what is needed down, pass it as an argument, \
             or let {target} call {room}"
        )),
        Some((same, later)) if same == floor && later > number => Some(format!(
            "{room} (floor {floor}, room {number}) uses the later room {target} (room {later}); move what is needed \
             to an earlier room, or let {target} call {room}"
        )),
        Some(_) => None,
    }
}

/// One file as the checker sees it.
struct Source {
    file: String,
    /// `src/store/sql.rs` is `["store", "sql"]`; the crate's root file is empty.
    module: Vec<String>,
    tokens: Vec<Token>,
    /// Is the token inside an item under `#[cfg(test)]`?
    in_test: Vec<bool>,
    /// Paths from the crate's root that the file names, with their lines.
    house_paths: Vec<(usize, Vec<String>)>,
    /// Modules declared as `#[cfg(test)] mod name;`, whose file is a test.
    test_modules: Vec<String>,
}

struct Token {
    line: usize,
    text: String,
}

impl Source {
    fn parse(file: &str, text: &str) -> Self {
        let relative = file.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = relative.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod" || last == "lib") {
            module.pop();
        }
        let tokens = tokens(text);
        let mut source = Source {
            file: file.to_owned(),
            module,
            in_test: vec![false; tokens.len()],
            tokens,
            house_paths: Vec::new(),
            test_modules: Vec::new(),
        };
        source.find_tests();
        source.find_house_paths();
        source
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn matches(&self, at: usize, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(offset, text)| self.text(at + offset) == *text)
    }

    /// Marks the items under `#[cfg(test)]`, each to its closing brace or semicolon.
    fn find_tests(&mut self) {
        let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
        for start in 0..self.tokens.len() {
            if !self.matches(start, &attribute) || self.in_test[start] {
                continue;
            }
            let mut depth = 0_usize;
            let mut end = start + attribute.len();
            while end < self.tokens.len() {
                match self.text(end) {
                    "{" | "(" | "[" => depth += 1,
                    closing @ ("}" | ")" | "]") => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 && closing == "}" {
                            break;
                        }
                    }
                    ";" if depth == 0 => {
                        if self.text(end - 2) == "mod" {
                            let name = self.text(end - 1).to_owned();
                            self.test_modules.push([self.module.clone(), vec![name]].concat().join("::"));
                        }
                        break;
                    }
                    _ => {}
                }
                end += 1;
            }
            let end = end.min(self.tokens.len() - 1);
            self.in_test[start..=end].fill(true);
        }
    }

    /// Finds every path that starts at the crate's root or climbs to it, in `use` and in code alike.
    fn find_house_paths(&mut self) {
        let mut found = Vec::new();
        let mut inner: Vec<(String, usize)> = Vec::new();
        let mut depth = 0_usize;
        for at in 0..self.tokens.len() {
            match self.text(at) {
                "{" => {
                    depth += 1;
                    if at >= 2 && self.text(at - 2) == "mod" {
                        inner.push((self.text(at - 1).to_owned(), depth));
                    }
                }
                "}" => {
                    inner.retain(|(_, opened)| *opened != depth);
                    depth = depth.saturating_sub(1);
                }
                start @ ("crate" | "mezhved" | "super") if self.begins_a_path(at) => {
                    let is_path = self.text(at + 1) == "::" || (start == "crate" && self.text(at + 1) == "as");
                    if is_path {
                        let mut here = self.module.clone();
                        here.extend(inner.iter().map(|(name, _)| name.clone()));
                        self.follow(at, &here, &mut found);
                    }
                }
                _ => {}
            }
        }
        self.house_paths = found;
    }

    fn begins_a_path(&self, at: usize) -> bool {
        at == 0 || self.text(at - 1) != "::" || (at > 1 && self.text(at) == "super" && self.text(at - 2) == "self")
    }

    /// Adds the paths of the tree at `at` that lead through the crate's root, expanded from groups.
    fn follow(&self, at: usize, here: &[String], found: &mut Vec<(usize, Vec<String>)>) {
        let mut paths = Vec::new();
        self.expand(at, &mut Vec::new(), &mut paths);
        for (line, path) in paths {
            let climbs = path.iter().take_while(|segment| *segment == "super").count();
            if climbs == 0 {
                found.push((line, path[1..].to_vec()));
            } else if climbs >= here.len() {
                found.push((line, path[climbs..].to_vec()));
            }
        }
    }

    /// Expands `a::{b, c::{d, e}}` at `at` into whole paths; answers where the tree ends.
    fn expand(&self, mut at: usize, prefix: &mut Vec<String>, paths: &mut Vec<(usize, Vec<String>)>) -> usize {
        let depth = prefix.len();
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        loop {
            if self.text(at) == "{" {
                at += 1;
                while at < self.tokens.len() && self.text(at) != "}" {
                    at = self.expand(at, prefix, paths).max(at + 1);
                    at += usize::from(self.text(at) == ",");
                }
                at += 1;
                break;
            }
            prefix.push(self.text(at).to_owned());
            at += 1;
            if self.text(at) == "as" {
                at += 2;
            }
            if self.text(at) != "::" || self.text(at + 1) == "<" {
                paths.push((line, prefix.clone()));
                break;
            }
            at += 1;
        }
        prefix.truncate(depth);
        at
    }

    /// What this file of a pure floor names and may not: the line and the reason.
    fn impure<'a>(&'a self, module: &'a str) -> impl Iterator<Item = (usize, &'static str)> + 'a {
        let mut found: BTreeMap<(usize, &'static str), ()> = BTreeMap::new();
        for at in 0..self.tokens.len() {
            if self.in_test[at] || matches!(self.text(at), "::" | "{" | "}" | ",") {
                continue;
            }
            if at > 0 && matches!(self.text(at - 1), "." | "fn" | "let") {
                continue;
            }
            let mut paths = Vec::new();
            if self.text(at + 1) == "::" {
                self.expand(at, &mut Vec::new(), &mut paths);
            } else {
                paths.push((self.tokens[at].line, vec![self.text(at).to_owned()]));
            }
            for (line, path) in paths {
                for (banned, why) in IMPURE {
                    let named = path.windows(banned.len()).any(|part| part.iter().zip(banned).all(|(a, b)| a == b));
                    let allowed = banned == ["rand"] && module == RANDOMNESS_ALLOWED_IN;
                    if named && !allowed {
                        found.insert((line, why), ());
                    }
                }
            }
        }
        found.into_keys()
    }
}

/// Splits Rust text into identifiers and punctuation; comments are dropped, literals become one `"` token.
fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let rest = &text[at..];
        let byte = bytes[at];
        let (length, token) = if let Some(length) = skipped(rest) {
            (length, None)
        } else if let Some(length) = literal(rest) {
            (length, Some("\"".to_owned()))
        } else if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (length.max(1), Some(rest[..length.max(1)].to_owned()))
        } else if rest.starts_with("::") {
            (2, Some("::".to_owned()))
        } else {
            (1, Some((byte as char).to_string()))
        };
        found.extend(token.map(|text| Token { line, text }));
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

/// The length of white space or a comment at the start, nested comments included.
fn skipped(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        let (mut depth, mut at) = (0_usize, 0);
        while at < rest.len() {
            match &rest.as_bytes()[at..] {
                [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
                [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
                _ => at += 1,
            }
            if depth == 0 {
                break;
            }
        }
        return Some(at);
    }
    rest.chars().next().filter(|c| c.is_whitespace()).map(char::len_utf8)
}

/// The length of a string, byte string, raw string or character literal at the start; a lifetime is none.
fn literal(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r"].into_iter().find(|prefix| {
        rest.strip_prefix(prefix)
            .is_some_and(|after| after.trim_start_matches('#').starts_with('"') || after.starts_with('\''))
    });
    let start = prefix.map_or(0, str::len);
    let body = &rest[start..];
    if prefix.is_some_and(|prefix| prefix.ends_with('r')) {
        let hashes = body.find('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let after = &body[hashes + 1..];
        return Some(start + hashes + 1 + after.find(&end).map_or(after.len(), |at| at + end.len()));
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut characters = body.char_indices().skip(1);
    if quote == '\'' {
        let mut ahead = body[1..].chars();
        let (first, second) = (ahead.next()?, ahead.next());
        if first != '\\' && second != Some('\'') {
            return None;
        }
    }
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == quote {
            return Some(start + at + 1);
        }
    }
    Some(rest.len())
}
