//! Traces: what a sender begins in `traceparent` is kept, passed on and told to a collector, step by step, whichever node takes it.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use lapin::types::{AMQPValue, FieldTable};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use prost::Message as _;

use crate::support::{AmqpVhost, eventually};
use crate::world::{Backend, Behaviour, Opened, Queues, RUNTIME, SOON, World, bodies};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const STATE: &str = "congo=t61rcWkgMzE";

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{SPAN}-{flags}")
}

/// One finished span as the collector got it.
#[derive(Debug, Clone)]
struct Told {
    name: String,
    node: String,
    trace: String,
    span: String,
    parent: String,
    attributes: Vec<(String, String)>,
}

impl Told {
    fn has(&self, key: &str, value: impl ToString) -> bool {
        self.attributes.contains(&(key.to_owned(), value.to_string()))
    }
}

/// A collector that keeps what it is told.
#[derive(Clone, Default)]
struct Collector {
    told: Arc<Mutex<Vec<Told>>>,
}

impl Collector {
    /// Starts it; its address is the setting `traces.otlp`.
    fn start() -> (Self, String) {
        let collector = Self::default();
        let router = axum::Router::new().route("/v1/traces", axum::routing::post(take)).with_state(collector.clone());
        let listener = RUNTIME.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let setting = format!("traces.otlp = \"http://{}\"", listener.local_addr().unwrap());
        RUNTIME.spawn(async move { axum::serve(listener, router).await });
        (collector, setting)
    }

    /// The spans of the sender's trace about this message, by name.
    fn of(&self, name: &str, id: impl ToString) -> Vec<Told> {
        let told = self.told.lock().unwrap();
        let ours =
            told.iter().filter(|s| s.name == name && s.trace == TRACE && s.has("mezhved.message_id", id.to_string()));
        ours.cloned().collect()
    }

    /// Waits for the first of them.
    fn first(&self, name: &str, id: impl ToString) -> Told {
        let id = id.to_string();
        eventually(&format!("the span {name} of {id}"), SOON, || self.of(name, &id).first().cloned())
    }

    fn is_silent(&self) -> bool {
        self.told.lock().unwrap().is_empty()
    }

    fn shows_nothing_personal(&self) {
        let text = format!("{:?}", self.told.lock().unwrap());
        assert_eq!(bodies::PERSONAL.iter().find(|personal| text.contains(**personal)), None, "{text}");
    }
}

async fn take(State(collector): State<Collector>, bytes: Bytes) -> Vec<u8> {
    let request = ExportTraceServiceRequest::decode(bytes).unwrap();
    for resource in request.resource_spans {
        let own = attributes(&resource.resource.unwrap_or_default().attributes);
        let node = own.iter().find(|(key, _)| key == "service.instance.id").unwrap().1.clone();
        assert!(own.contains(&("service.name".to_owned(), "mezhved".to_owned())), "{own:?}");
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        let told = spans.map(|span| Told {
            name: span.name,
            node: node.clone(),
            trace: hex::encode(span.trace_id),
            span: hex::encode(span.span_id),
            parent: hex::encode(span.parent_span_id),
            attributes: attributes(&span.attributes),
        });
        collector.told.lock().unwrap().extend(told);
    }
    ExportTraceServiceResponse::default().encode_to_vec()
}

fn attributes(own: &[KeyValue]) -> Vec<(String, String)> {
    let text = |value: &Value| {
        if let Value::StringValue(text) = value { text.clone() } else { format!("{value:?}") }
    };
    let value = |kv: &KeyValue| kv.value.as_ref().and_then(|v| v.value.as_ref()).map(text).unwrap_or_default();
    own.iter().map(|kv| (kv.key.clone(), value(kv))).collect()
}

fn post_traced(world: &World, bytes: Vec<u8>, parent: &str) {
    let request = world.wire().request(reqwest::Method::POST, "/v1/messages");
    let request = request.header("traceparent", parent).header("tracestate", STATE).body(bytes);
    assert_eq!(RUNTIME.block_on(async { request.send().await }).unwrap().status(), 200);
}

#[test]
fn one_trace_leads_from_the_sender_through_two_nodes_to_the_receipt() {
    let (collector, setting) = Collector::start();
    let plan = World::on(Backend::Postgres).setting(setting).setting("log.format = \"json\"");
    let mut world = plan.setting("delivery.retry_ceiling_ms = 2000").start();
    world.partner("health").behave(Behaviour::Status(503));
    let register = world.agency("register");
    let request = register.draft("health", "document-request", bodies::request("medical-conclusion"));
    let id = request.header.message_id;
    post_traced(&world, register.sign(&request), &parent("01"));
    let accept = collector.first("accept", id);
    let failed = collector.first("deliver", id);
    // The node that took it goes; another one, which only finds it in the database, brings it to its end.
    assert_eq!(world.process().stop(), Some(0));
    let first_log = world.process().log();
    let other = world.command().start();
    world.partner("health").behave(Behaviour::Receipt);
    let delivered = eventually("the delivery of the other node", SOON, || {
        collector.of("deliver", id).into_iter().find(|span| span.has("mezhved.state", "delivered"))
    });
    let receipt = collector.first("receipt", id);
    let queue = collector.first("queue", id);

    assert_eq!(accept.parent, SPAN, "the sender's span: {accept:?}");
    for span in [&queue, &failed, &delivered] {
        assert_eq!(span.parent, accept.span, "{span:?}");
    }
    assert_eq!(receipt.parent, delivered.span, "{receipt:?}");
    assert!(receipt.has("mezhved.word", "receipt"), "{receipt:?}");
    assert!(failed.has("mezhved.reason", "partner-error") && failed.has("mezhved.attempt", 1), "{failed:?}");
    assert_eq!((&failed.node, &queue.node), (&accept.node, &accept.node));
    assert_ne!(delivered.node, accept.node);
    assert_eq!(collector.of("queue", id).len(), 1, "it waits in the queue once");

    let copy = world.partner("health").message(id).unwrap();
    assert_eq!(copy.headers["traceparent"], format!("00-{TRACE}-{}-01", delivered.span).as_str());
    assert_eq!(copy.headers["tracestate"], STATE);
    // The notice about it stands in the same trace.
    let notice = eventually("the notice", SOON, || world.partner("register").first("notice"));
    assert!(notice.headers["traceparent"].to_str().unwrap().contains(TRACE), "{:?}", notice.headers);
    // Log lines about it name the trace.
    let accepted = first_log.lines().find(|line| line.contains("\"accepted\"")).unwrap();
    let line: serde_json::Value = serde_json::from_str(accepted).unwrap();
    assert_eq!(
        (line["span"]["trace_id"].as_str(), line["fields"]["message_id"].as_str()),
        (Some(TRACE), Some(id.to_string().as_str())),
        "{line}"
    );
    let shown = world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
    assert_eq!(shown[0]["traceId"], TRACE, "{shown:#}");
    collector.shows_nothing_personal();
    drop(other);
}

#[test]
fn over_the_broker_the_trace_goes_in_headers_and_a_receipt_finds_it_again() {
    let (collector, setting) = Collector::start();
    let vhost = AmqpVhost::create();
    let world = World::on(Backend::Sqlite).broker(vhost.url(), &["police"]).setting(setting).start();
    let queues = Queues::connect(&vhost, "police");
    let register = world.agency("register");
    let request = register.draft("police", "document-request", bodies::request("criminal-record"));
    let id = request.header.message_id;
    post_traced(&world, register.sign(&request), &parent("01"));
    let (bytes, came) = queues.next_with("to", "traceparent");
    let (accept, deliver) = (collector.first("accept", id), collector.first("deliver", id));
    assert_eq!(came, Some(format!("00-{TRACE}-{}-01", deliver.span)));

    let opened = Opened::read(&bytes, &world.gateway_certificate).unwrap();
    let receipt = world.agency("police").receipt(&opened);
    let receipt_id = Opened::read(&receipt, world.agency("police").certificate()).unwrap().header.message_id;
    let own = "1111111111111111";
    let mut headers = FieldTable::default();
    headers.insert("traceparent".into(), AMQPValue::LongString(format!("00-{TRACE}-{own}-01").into()));
    queues.send_with(&receipt, headers);
    let told = collector.first("receipt", id);
    assert_eq!(told.parent, accept.span, "the receipt belongs to the message that it is about: {told:?}");
    let came = collector.first("accept", receipt_id);
    assert_eq!(came.parent, own, "and came in the span of its sender: {came:?}");
    assert!(came.has("mezhved.channel", "amqp"), "{came:?}");
    collector.shows_nothing_personal();
}

#[test]
fn a_sender_decides_what_is_told_and_without_a_collector_its_trace_is_passed_on_as_it_came() {
    let (collector, setting) = Collector::start();
    for (setting, flags, kept) in [(Some(setting), "00", false), (None, "01", true)] {
        let plan = World::on(Backend::Sqlite);
        let mut world = match setting {
            Some(setting) => plan.setting(setting),
            None => plan,
        }
        .start();
        let register = world.agency("register").clone();
        let send = |parent: &str| {
            let request = register.draft("health", "document-request", bodies::request("medical-conclusion"));
            let id = request.header.message_id;
            post_traced(&world, register.sign(&request), parent);
            world.until(id, "delivered");
            world.partner("health").message(id).unwrap().headers
        };
        let headers = send(&parent(flags));
        let passed = headers["traceparent"].to_str().unwrap();
        assert!(passed.starts_with(&format!("00-{TRACE}-")) && passed.ends_with(flags), "{passed}");
        assert_eq!(passed == parent(flags), kept, "{passed}");
        assert_eq!(headers["tracestate"], STATE);
        if kept {
            let headers = send("00-not-a-trace");
            assert!(!headers.contains_key("traceparent") && !headers.contains_key("tracestate"), "{headers:?}");
        }
        assert_eq!(world.process().stop(), Some(0));
    }
    // Both nodes have handed over what they had.
    assert!(collector.is_silent(), "{:?}", collector.told.lock().unwrap());
}
