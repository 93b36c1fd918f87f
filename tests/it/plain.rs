//! Participants without envelopes: a JSON one that answers in the response, and an XML one that posts its answer.

mod config;
mod door;
mod out;
mod rest;
mod restart;

use mezhved::domain::{Header, MessageId};
use mezhved::envelope::technical::{Notice, NoticeState};
use serde_json::Value;

use crate::support::eventually;
use crate::world::{Backend, Plan, RUNTIME, SOON, World, bodies};
use rest::Rest;

/// The kind of document that the employment service answers for; its own code is EMP_CODE.
const KIND: &str = "criminal-record";
const SECRET: &str = "the-partners-own-secret-0123456789";
const TOKEN: &str = "the-token-of-the-health-authority-43chars";
const JSON_RESPONSE: &str = include_str!("../../adapters/employment/samples/document-response/minimal.partner.json");

/// A plan with short pauses.
fn plan(backend: Backend) -> Plan {
    let plan = World::on(backend).setting("delivery.retry_base_ms = 20").setting("delivery.retry_ceiling_ms = 200");
    plan.setting("push.timeout_ms = 3000").setting("delivery.lease_ms = 6000").setting("delivery.poll_ms = 200")
}

/// A world in which employment answers in the response to its JSON requests, and health posts its XML; none has a key.
struct Bare {
    world: World,
    employment: Rest,
    health: Rest,
}

fn bare(plan: Plan) -> Bare {
    let mut bare = prepared(plan);
    bare.world.serve();
    bare
}

fn prepared(plan: Plan) -> Bare {
    let world = plan.prepare();
    let (employment, health) = (Rest::start(), Rest::start());
    let hash = mezhved::crypto::sha256(TOKEN.as_bytes());
    without_envelopes(
        &world,
        "employment",
        employment.url(),
        "auth = \"bearer\"\npath = \"/{type}\"\n[plain.paths]\ndocument-request = \"/requests?from={sender}\"\n\
         [plain.responses]\ndocument-request = \"document-response/1\"\n",
    );
    let text = format!("auth = \"basic\"\ntoken_sha256 = [\"{hash}\"]\n[plain.paths]\nnotice = \"/notices\"\n");
    without_envelopes(&world, "health", health.url(), &text);
    std::fs::create_dir(world.file("secrets")).unwrap();
    std::fs::write(world.file("secrets/employment.bearer"), format!("{SECRET}\n")).unwrap();
    std::fs::write(world.file("secrets/health.basic"), "gateway:pass").unwrap();
    Bare { world, employment, health }
}

/// Rewrites a participant's file.
fn without_envelopes(world: &World, id: &str, url: &str, plain: &str) {
    let file = world.file(&format!("participants/{id}.toml"));
    let text = std::fs::read_to_string(&file).unwrap();
    let own = text.lines().take_while(|line| !line.starts_with("framing"));
    let kept: Vec<&str> =
        own.filter(|line| !line.starts_with("transport") && !line.starts_with("certificate")).collect();
    let text = format!(
        "{}\nframing = \"plain\"\ntransport = {{ kind = \"http\", url = \"{url}\" }}\n[plain]\n{plain}",
        kept.join("\n")
    );
    std::fs::write(file, text).unwrap();
}

impl Bare {
    /// The register asks; the header of its request.
    fn ask(&self, whom: &str, kind: &str) -> Header {
        let register = self.world.agency("register");
        let request = register.draft(whom, "document-request", bodies::request(kind));
        self.world.post(register.sign(&request)).receipt();
        request.header
    }

    /// The state of the answer's obligation.
    fn owed(&self, whom: &str) -> String {
        let mut rows = self.world.listed(&["deadline", "list", "--rule", "document-answer"]);
        rows.retain(|row| row["debtor"] == whom);
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows[0]["state"].as_str().unwrap().to_owned()
    }

    /// What the register was told of its message.
    fn told(&self, id: MessageId) -> (NoticeState, Option<String>) {
        eventually("the notice", SOON, || {
            let copies = self.world.partner("register").copies().into_iter();
            let mut notices = copies.filter(|c| c.opened.kind() == "notice").map(|c| c.opened.technical::<Notice>());
            notices.find(|n| n.message_id == id).map(|n| (n.state, n.reason))
        })
    }

    /// A message as `message show` shows it.
    fn shown(&self, id: &str) -> Value {
        self.world.mezhved(&["message", "show", id, "--json"]).done().json()[0].clone()
    }

    /// The journal's entries of this kind.
    fn journal(&self, kind: &str) -> Vec<Value> {
        let text = self.world.mezhved(&["journal", "export"]).done().stdout;
        for personal in bodies::PERSONAL {
            assert!(!text.contains(personal), "the journal has {personal}");
        }
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row["kind"] == kind).collect()
    }

    /// Posts a body without an envelope.
    fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Said {
        let request = self.world.wire().request(reqwest::Method::POST, path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        Said::of(request.body(body.into()))
    }

    /// Gets the state of a message with a token.
    fn state(&self, id: &str, token: &str) -> Said {
        let path = format!("/v1/plain/messages/{id}");
        Said::of(self.world.wire().request(reqwest::Method::GET, &path).bearer_auth(token))
    }
}

/// An answer of the gateway.
#[derive(Debug)]
struct Said {
    status: u16,
    content_type: String,
    headers: reqwest::header::HeaderMap,
    bytes: Vec<u8>,
}

impl Said {
    fn of(request: reqwest::RequestBuilder) -> Self {
        RUNTIME.block_on(async {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let content_type = headers.get("content-type").map_or("", |v| v.to_str().unwrap()).to_owned();
            Self { status, content_type, headers, bytes: response.bytes().await.unwrap().to_vec() }
        })
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|e| panic!("{e}: {} {}", self.status, String::from_utf8_lossy(&self.bytes)))
    }

    /// The code of a problem; everything else of it is checked.
    fn problem(&self) -> String {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:mezhved:fault:{code}"));
        let first = problem["detail"].as_str().unwrap().chars().find(|c| c.is_alphabetic()).unwrap();
        assert!(('А'..='я').contains(&first) || code.starts_with("created") || code == "expired", "{problem}");
        code
    }
}
