//! How long the console's pages take on the server with 1,000,000 messages and 1,000,000 obligations, on both databases.
//!
//! `make bench-pages` runs it on SQLite and on a private PostgreSQL. A region is simulated for half a year up to yesterday, its rows are
//! copied until there are so many, a gateway serves the database, somebody with every role signs in, and each page is asked for forty
//! times, one after the other. It prints the median and the 95th percentile of each, and ends with exit status 1 when one takes 150 ms or
//! longer in the 95th percentile.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to say"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{Days, Utc};
use reqwest::{Client, RequestBuilder, redirect::Policy};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

const ROWS: i64 = 1_000_000;
const CASES: &str = "300";
const TIMES: usize = 40;
const P95_MAX: Duration = Duration::from_millis(150);
const PASSWORD: &str = "жёлтый дом у вокзала";
const ROLES: [&str; 4] = ["operator", "administrator", "auditor", "security-officer"];

/// What is copied, with the columns that hold ids.
const TABLES: [(&str, &[&str]); 6] = [
    ("messages", &["record_id", "message_id", "conversation_id", "case_id", "in_reply_to", "derived_from"]),
    ("deliveries", &["id", "record_id", "conversation_id", "pull_id"]),
    ("delivery_attempts", &["delivery_id"]),
    ("obligations", &["id", "case_id", "conversation_id", "record_id", "settled_record"]),
    ("cases", &["id"]),
    ("journal", &["id", "record_id", "delivery_id", "obligation_id"]),
];

/// Pages by their paths; in braces what is the first link of another page that begins so.
const PAGES: [&str; 27] = [
    "/",
    "/obligations",
    "/obligations?group=overdue",
    "/obligations?group=running&participant=health-1",
    "/obligations?group=done",
    "/obligations?rule=yugra/document-answer",
    "/obligations?sort=latest",
    "{/obligations /obligations/}",
    "/messages",
    "/messages?participant=police-1",
    "/messages?type=document-response",
    "/messages?state=parked",
    "{/messages /messages/}",
    "{/obligations /conversations/}",
    "/queues",
    "/queues/health-1",
    "/dead",
    "/cases",
    "{/cases /cases/}",
    "/reports",
    "/reports?report=summary",
    "/reports?report=indicators",
    "/reports?report=register-applications",
    "/participants",
    "/participants/health-1",
    "/regulations",
    "/journal",
];

#[tokio::main]
async fn main() {
    sqlx::any::install_default_drivers();
    let mut holds = engine("SQLite", None).await;
    match std::env::var("MEZHVED_TEST_POSTGRES") {
        Ok(server) => {
            let schema = format!("pages_{}", std::process::id());
            run(&server, &format!("CREATE SCHEMA {schema}")).await;
            let joint = if server.contains('?') { '&' } else { '?' };
            let url = format!("{server}{joint}options[search_path]={schema}");
            holds &= engine("PostgreSQL", Some(url)).await;
            run(&server, &format!("DROP SCHEMA {schema} CASCADE")).await;
        }
        Err(_) => println!("PostgreSQL is left out: MEZHVED_TEST_POSTGRES names none (make bench-pages starts one)"),
    }
    if !holds {
        std::process::exit(1);
    }
}

async fn engine(name: &str, url: Option<String>) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let region = folder.path().join("region");
    let began = Instant::now();
    simulate(&region, url.as_deref());
    let url = url.unwrap_or_else(|| format!("sqlite://{}", region.join("data/mezhved.db").display()));
    let counts = copy(&url).await;
    println!("\n{name}: {counts:?}, made in {:.0} s", began.elapsed().as_secs_f64());
    let gateway = Gateway::serve(&region);
    let person = Reader::sign_in(&gateway.console).await;
    let mut holds = true;
    for page in PAGES {
        let path = person.path_of(page).await;
        let mut times = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let asked = Instant::now();
            let (status, text) = person.get(&path).await;
            times.push(asked.elapsed());
            assert_eq!(status, 200, "{path}: {text}");
        }
        times.sort();
        let (p50, p95) = (times[TIMES / 2], times[TIMES * 95 / 100]);
        let word = if p95 < P95_MAX { "" } else { "  does not hold" };
        holds &= p95 < P95_MAX;
        println!("  {page:52}{:>9.1} ms{:>9.1} ms{word}", p50.as_secs_f64() * 1e3, p95.as_secs_f64() * 1e3);
    }
    holds
}

fn mezhved(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mezhved"));
    command.args(arguments);
    command
}

/// Half a year of a region, with somebody who may look at everything.
fn simulate(region: &Path, url: Option<&str>) {
    let yesterday = Utc::now().date_naive() - Days::new(1);
    let (from, to) = ((yesterday - Days::new(180)).to_string(), yesterday.to_string());
    let folder = region.to_str().unwrap();
    let mut arguments = vec!["simulate", "--regulation", "yugra", "--from", &from, "--to", &to, "--cases", CASES];
    arguments.extend(["--seed", "5", "--keep", folder]);
    arguments.extend(url.iter().flat_map(|url| ["--database", *url]));
    let done = mezhved(&arguments).stdout(Stdio::null()).status().unwrap();
    assert!(done.success(), "the simulation");
    let settings = region.join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let listen = "\n[agencies]\nlisten = \"127.0.0.1:0\"\n\n[console]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(&settings, text + listen).unwrap();
    let mut arguments = vec!["account", "add", "reader", "--name", "Кто-то", "--config", folder];
    arguments.extend(ROLES.iter().flat_map(|role| ["--role", *role]));
    let mut adding = mezhved(&arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    writeln!(adding.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(adding.wait().unwrap().success(), "the account");
}

async fn run(url: &str, sql: &str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

/// Copies what happened until there are enough rows; how many of each table then.
async fn copy(url: &str) -> BTreeMap<&'static str, i64> {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let mut execute = async |sql: String| sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    for (table, _) in TABLES {
        execute(format!("CREATE TABLE base_{table} AS SELECT * FROM {table}")).await;
    }
    let count = async |table: &str| {
        let mut connection = AnyConnection::connect(url).await.unwrap();
        let sql = format!("SELECT COUNT(*) FROM {table}");
        sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap().get::<i64, _>(0)
    };
    let (sealed, mut rows) = (count("base_journal").await, BTreeMap::new());
    let fewest = count("base_messages").await.min(count("base_obligations").await);
    let copies = ROWS / fewest;
    for (table, ids) in TABLES {
        let columns = columns(url, table).await;
        let suffix = "substr('000000000000' || CAST(k AS TEXT), length(CAST(k AS TEXT)) + 1)";
        let copied = columns.iter().map(|column| match column.as_str() {
            id if ids.contains(&id) => format!("substr({id}, 1, 24) || {suffix}"),
            "obligation_key" => format!("obligation_key || {suffix}"),
            "seq" => format!("seq + k * {sealed}"),
            other => other.to_owned(),
        });
        execute(format!(
            "INSERT INTO {table} ({}) WITH RECURSIVE counted (k) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT k + 1 FROM counted \
             WHERE k < {copies}) SELECT {} FROM counted CROSS JOIN base_{table}; DROP TABLE base_{table}",
            columns.join(", "),
            copied.collect::<Vec<_>>().join(", "),
        ))
        .await;
        rows.insert(table, count(table).await);
    }
    execute("ANALYZE".to_owned()).await;
    rows
}

async fn columns(url: &str, table: &str) -> Vec<String> {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    let sql = match url.starts_with("sqlite") {
        true => format!("SELECT name FROM pragma_table_info('{table}')"),
        false => format!(
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' \
             AND table_schema = current_schema() ORDER BY ordinal_position"
        ),
    };
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// A gateway that ends with this.
struct Gateway {
    child: Child,
    console: String,
}

impl Gateway {
    fn serve(region: &Path) -> Self {
        let mut command = mezhved(&["serve", "--config", region.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let console = lines.find_map(|line| Some(line.split("console=").nth(1)?.trim().to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, console: console.expect("the gateway is ready") }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Somebody who has signed in.
struct Reader {
    client: Client,
    address: String,
    cookies: String,
}

impl Reader {
    async fn sign_in(address: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        let mut reader = Self { client, address: address.to_owned(), cookies: String::new() };
        let first = reader.send(reader.client.get(format!("{address}/sign-in"))).await;
        reader.cookies = first.cookies;
        let csrf = first.text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let form = [("login", "reader"), ("password", PASSWORD), ("csrf", csrf)];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let post = reader.client.post(format!("{address}/sign-in")).body(body);
        let signed = reader.send(post.header("content-type", "application/x-www-form-urlencoded")).await;
        assert_eq!(signed.status, 303, "{}", signed.text);
        reader.cookies = signed.cookies;
        reader
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = request.header("cookie", &self.cookies).send().await.unwrap();
        let status = answer.status().as_u16();
        let set = answer.headers().get_all("set-cookie").iter();
        let cookies: Vec<String> = set.map(|v| v.to_str().unwrap().split(';').next().unwrap().to_owned()).collect();
        Answer { status, cookies: cookies.join("; "), text: answer.text().await.unwrap() }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.send(self.client.get(format!("{}{path}", self.address))).await;
        (answer.status, answer.text)
    }

    /// A page's path; of `{PAGE BEGINNING}` the first link with an id of that page.
    async fn path_of(&self, page: &str) -> String {
        let Some((on, begins)) = page.trim_matches(['{', '}']).split_once(' ') else { return page.to_owned() };
        let (_, text) = self.get(on).await;
        let link = format!("href=\"{begins}0");
        let rest = text.split(&link).nth(1).unwrap_or_else(|| panic!("{on} has no link to {begins}: {text}"));
        format!("{begins}0{}", rest.split('"').next().unwrap())
    }
}

struct Answer {
    status: u16,
    cookies: String,
    text: String,
}
