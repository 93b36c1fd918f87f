//! Templates and bodies that go wrong, on purpose or not, against the running gateway: each is parked or refused with its place and its
//! reason, the process stays as large as it was, and everybody else's messages go on meanwhile.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mezhved::domain::MessageId;
use mezhved::envelope::technical::FaultReport;
use mezhved::envelope::{BodyDraft, Draft};

use crate::commands::{copy_folder, project};
use crate::support::eventually;
use crate::world::{Backend, SOON, World, bodies, bodies::replaced};

/// How far above its memory at rest the gateway may come.
const ABOVE_IDLE_KIB_MAX: u64 = 256 * 1024;
const POLICE_REQUEST: &str = include_str!("../../adapters/police/samples/document-request/minimal.partner.xml");
const POLICE_REPORT: &str = include_str!("../../adapters/police/samples/progress-report/minimal.partner.xml");
const EMPLOYMENT_REPORT: &str = include_str!("../../adapters/employment/samples/progress-report/minimal.partner.json");

/// A figure of the gateway's status, in KiB.
fn kib(world: &World, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", world.gateway().id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A request whose gist says what the template is to do, with many documents to loop over.
fn request(world: &World, to: &str, gist: &str) -> Draft {
    let body = bodies::request("criminal-record");
    let start = body.find("<gist>").unwrap() + "<gist>".len();
    let old = &body[start..body.find("</gist>").unwrap()];
    let kinds =
        ["study-certificate", "pupil-characteristic", "attendance-record", "preschool-record", "education-document"];
    let documents: String = kinds.iter().map(|kind| format!("<document><kind>{kind}</kind></document>")).collect();
    let body = replaced(&body, old, gist);
    world.agency("register").draft(to, "document-request", replaced(&body, "<wanted>", &format!("<wanted>{documents}")))
}

/// An ordinary request to a partner that nothing is wrong with.
fn honest(world: &World) -> MessageId {
    let draft = world.agency("register").draft("guardianship", "document-request", bodies::request("guardianship-act"));
    world.post(world.agency("register").sign(&draft)).receipt();
    draft.header.message_id
}

/// What a template does when the request asks for it.
fn misdeeds() -> Vec<(&'static str, String, &'static str)> {
    let nested = format!(
        "{}{{{{ header.message_id }}}}{}",
        "{% for a in body.all('wanted/document') %}".repeat(9),
        "{% endfor %}".repeat(9)
    );
    let doubled: String =
        (1..30).map(|n| format!("{{% set a{n} %}}{{{{ a{} }}}}{{{{ a{} }}}}{{% endset %}}", n - 1, n - 1)).collect();
    vec![
        ("loop", nested, "more steps than"),
        ("macro", "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}".to_owned(), "nested too deep"),
        (
            "gigabyte",
            format!("{{% set a0 %}}{}{{% endset %}}{doubled}{{{{ a29 }}}}", "x".repeat(500)),
            "wrote more than",
        ),
        ("field", "{{ body.organization }}".to_owned(), "has no `organization`"),
        ("file", "{% include '/etc/passwd' %}".to_owned(), "non-existing template"),
        ("folder", "{% include '../../../settings.toml' %}".to_owned(), "non-existing template"),
        ("clock", "{{ now() }}".to_owned(), "now"),
        ("environment", "{{ env.HOME }}".to_owned(), "not defined"),
        ("half", "<half>".to_owned(), ""),
    ]
}

/// Puts the misdeeds in the place of a template of a built-in adapter; the line on which each stands, from 1.
fn spoil(world: &World, adapter: &str, template: &str) -> Vec<usize> {
    let folder = format!("adapters/{adapter}");
    copy_folder(&project(&folder), &world.file(&folder));
    let mut text = "{% if body.gist is oneof('-') %}".to_owned();
    let mut lines = Vec::new();
    for (name, misdeed, _) in misdeeds() {
        text.push_str(&format!("{{% elif body.gist is oneof('{name}') %}}\n{misdeed}"));
        lines.push(text.lines().count());
    }
    text.push_str("{% endif %}\n");
    std::fs::write(world.file(&format!("{folder}/templates/{template}")), text).unwrap();
    lines
}

#[test]
fn a_template_that_runs_wild_parks_its_message_and_nothing_else() {
    let mut world = World::on(Backend::Sqlite).prepare();
    let forms = [("education", "request.out.xml"), ("employment", "request.out.json")];
    let lines = forms.map(|(adapter, template)| spoil(&world, adapter, template));
    world.serve();
    world.until(honest(&world), "delivered");
    let idle = kib(&world, "VmRSS:");
    for ((adapter, template), lines) in forms.iter().zip(&lines) {
        for ((misdeed, _, reason), line) in misdeeds().iter().zip(lines) {
            let draft = request(&world, adapter, misdeed);
            world.post(world.agency("register").sign(&draft)).receipt();
            let parked = world.until(draft.header.message_id, "parked");
            assert_eq!(parked["reason"], "translation-failed", "{adapter} {misdeed}: {parked}");
            let detail = parked["detail"].as_str().unwrap();
            let file = format!("adapters/{adapter}/templates/{template}");
            assert!(detail.contains(&file) && detail.contains(reason), "{adapter} {misdeed}: {detail}");
            // What shows while the template runs names its line; what shows when it has ended is about the whole result.
            let at = format!("{file}:{line}:");
            assert!(*misdeed == "half" || detail.contains(&at), "{adapter} {misdeed}: no `{at}` in {detail}");
            assert!(!detail.contains("root:") && !detail.contains("Образцов"), "{detail}");
        }
    }
    let peak = kib(&world, "VmHWM:");
    eprintln!("wild templates: at rest {idle} KiB, at most {peak} KiB");
    assert!(peak < idle + ABOVE_IDLE_KIB_MAX, "at rest {idle} KiB, at most {peak} KiB");
    world.until(honest(&world), "delivered");
    world.undelivered(2 * misdeeds().len());
}

/// When the message was accepted, and when its delivery came to this state: RFC 3339 in UTC, so texts compare like instants.
fn instants(world: &World, id: MessageId, state: &str) -> (String, String) {
    world.until(id, state);
    let shown = world.mezhved(&["message", "show", &id.to_string(), "--json"]).done().json();
    let tries = shown[0]["deliveries"][0]["tries"].as_array().unwrap();
    let last = tries.iter().find(|tried| tried["state"] == state).unwrap_or_else(|| panic!("{shown}"));
    (shown[0]["acceptedAt"].as_str().unwrap().to_owned(), last["at"].as_str().unwrap().to_owned())
}

/// Between the acceptance of a wild one and its parking, an ordinary message comes, is delivered and receipted.
#[test]
fn others_messages_go_on_while_templates_run_wild() {
    let mut world = World::on(Backend::Sqlite).prepare();
    spoil(&world, "education", "request.out.xml");
    world.serve();
    let register = world.agency("register");
    let send_wild = || {
        let draft = request(&world, "education", "loop");
        world.post(register.sign(&draft)).receipt();
        draft.header.message_id
    };
    let overtakes = || {
        let mut wild: Vec<MessageId> = (0..12).map(|_| send_wild()).collect();
        let ordinary = honest(&world);
        wild.extend((0..4).map(|_| send_wild()));
        let (_, delivered) = instants(&world, ordinary, "delivered");
        let parked: Vec<_> = wild.into_iter().map(|id| instants(&world, id, "parked")).collect();
        parked.into_iter().any(|(accepted, parked)| accepted < delivered && delivered < parked)
    };
    let deadline = Instant::now() + SOON;
    while !overtakes() {
        assert!(Instant::now() < deadline, "an ordinary message waits until every wild template has ended");
    }
}

/// A body that its own sender signed, and what the fault must say.
struct Hostile {
    name: &'static str,
    draft: Draft,
    code: &'static str,
    says: &'static [&'static str],
}

fn payload(text: String) -> BodyDraft {
    BodyDraft::Payload { media_type: "application/json".to_owned(), bytes: text.into_bytes() }
}

/// Signed by who they are from, and not what that participant's form is.
fn signed(world: &World) -> Vec<Hostile> {
    let json = |text: String| {
        let mut draft = world.agency("employment").draft("register", "progress-report", Vec::new());
        draft.body = payload(text);
        draft
    };
    let xml = |kind: &str, text: String| world.agency("police").draft("register", kind, text.into_bytes());
    let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let in_its_place = EMPLOYMENT_REPORT.replacen('{', &format!("{{\"cases\":{deep},"), 1);
    let long = "я".repeat(1_500_000);
    vec![
        Hostile {
            name: "JSON 10,000 deep",
            draft: json(deep),
            code: "schema-invalid",
            says: &["employment/templates", "nested deeper"],
        },
        Hostile {
            name: "JSON 10,000 deep in a field",
            draft: json(in_its_place),
            code: "schema-invalid",
            says: &["employment/templates", "nested deeper"],
        },
        Hostile {
            name: "10,000 lists in lists",
            draft: json(format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000))),
            code: "schema-invalid",
            says: &["array in an array"],
        },
        Hostile {
            name: "a member that the form lacks",
            draft: json(EMPLOYMENT_REPORT.replacen('{', "{\"shoeSize\":43,", 1)),
            code: "schema-invalid",
            says: &["employment/templates"],
        },
        Hostile {
            name: "a member twice",
            draft: json("{\"format\":\"a\",\"format\":\"b\"}".to_owned()),
            code: "schema-invalid",
            says: &["occurs twice"],
        },
        Hostile {
            name: "a JSON file that is none",
            draft: json("{".repeat(100_000)),
            code: "schema-invalid",
            says: &["line 1"],
        },
        Hostile {
            name: "XML where JSON is the form",
            draft: world.agency("employment").draft("register", "progress-report", POLICE_REPORT),
            code: "schema-invalid",
            says: &["application/json"],
        },
        Hostile {
            name: "XML of nobody's",
            draft: xml("progress-report", "<html xmlns=\"urn:nobody\"><body/></html>".to_owned()),
            code: "schema-invalid",
            says: &["police/templates", "root element must be `H`"],
        },
        Hostile {
            name: "the partner's XML of another message",
            draft: xml("progress-report", POLICE_REQUEST.to_owned()),
            code: "schema-invalid",
            says: &["root element must be `H`"],
        },
        Hostile {
            name: "a foreign element inside",
            draft: xml("progress-report", replaced(POLICE_REPORT, "</H>", "<x xmlns=\"urn:other\"/></H>")),
            code: "schema-invalid",
            says: &["urn:other"],
        },
        Hostile {
            name: "an element that the form lacks",
            draft: xml("progress-report", replaced(POLICE_REPORT, "</H>", "<SHOE>43</SHOE></H>")),
            code: "schema-invalid",
            says: &["police/templates", "line "],
        },
        Hostile {
            name: "an attribute of three megabytes",
            draft: xml("progress-report", replaced(POLICE_REPORT, "</H>", &format!("<N q=\"{long}\"/></H>"))),
            code: "schema-invalid",
            says: &["police/templates"],
        },
    ]
}

/// Bytes at the door that no signature is looked at for, and the fault's code.
fn raw(good: &str) -> Vec<(&'static str, String, &'static str)> {
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let dtd = format!("<!DOCTYPE l [<!ENTITY l0 \"lol\">{laughs}]>");
    let deep = format!("<gist>{}{}", "<d>".repeat(10_000), "</d>".repeat(10_000));
    vec![
        ("a billion laughs", format!("{dtd}{}", replaced(good, "<gist>", "<gist>&l9;")), "dtd-forbidden"),
        ("XML 10,000 deep", replaced(good, "<gist>", &deep), "too-deep"),
        (
            "a million attributes",
            format!("<a{}/>", (0..1_000_000).map(|n| format!(" a{n}=\"\"")).collect::<String>()),
            "too-large",
        ),
        ("an entity", replaced(good, "<gist>", "<gist>&lol;"), "not-xml"),
    ]
}

#[test]
fn hostile_bodies_are_refused_with_a_reason_while_others_messages_go_on() {
    let world = World::on(Backend::Sqlite).setting("limits.refusals_per_minute_max = 100000").start();
    world.until(honest(&world), "delivered");
    let idle = kib(&world, "VmRSS:");
    let good = {
        let draft = request(&world, "guardianship", "x");
        String::from_utf8(world.agency("register").sign(&draft)).unwrap()
    };
    let mut flood: Vec<Vec<u8>> = Vec::new();
    for Hostile { name, draft, code, says } in signed(&world) {
        let bytes = world.agency(draft.header.sender.as_str()).sign(&draft);
        let begun = Instant::now();
        let answer = world.post(bytes.clone());
        assert_eq!(answer.fault().code, code, "{name}: {}", answer.text());
        let said: FaultReport = answer.opened().technical();
        assert_eq!(said.message_id, Some(draft.header.message_id), "{name}");
        let detail = said.detail.unwrap_or_default();
        for part in says {
            assert!(detail.contains(part), "{name}: no `{part}` in: {detail}");
        }
        assert!(detail.len() < 4_000 && !detail.contains("яяя"), "{name}: {} bytes", detail.len());
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}: {:?}", begun.elapsed());
        flood.push(bytes);
    }
    for (name, text, code) in raw(&good) {
        let answer = world.post(text.clone());
        assert_eq!(answer.fault().code, code, "{name}: {}", answer.text());
        flood.push(text.into_bytes());
    }
    // All of them at once and over again, for as long as an ordinary message takes.
    let (is_over, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    let before = std::thread::scope(|scope| {
        for offset in 0..4 {
            let (world, flood, is_over, refused) = (&world, &flood, &is_over, &refused);
            scope.spawn(move || {
                for bytes in flood.iter().cycle().skip(offset * 4) {
                    if is_over.load(Ordering::Acquire) {
                        break;
                    }
                    let answer = world.post(bytes.clone());
                    assert!(answer.status == 422 || answer.status == 400 || answer.status == 413, "{}", answer.text());
                    refused.fetch_add(1, Ordering::AcqRel);
                }
            });
        }
        eventually("the flood", SOON, || (refused.load(Ordering::Acquire) > 8).then_some(()));
        for _ in 0..3 {
            world.until(honest(&world), "delivered");
        }
        let before = refused.load(Ordering::Acquire);
        eventually("the flood to go on", SOON, || (refused.load(Ordering::Acquire) > before).then_some(()));
        is_over.store(true, Ordering::Release);
        before
    });
    let peak = kib(&world, "VmHWM:");
    eprintln!("hostile bodies: {before} refused beside 3 deliveries; at rest {idle} KiB, at most {peak} KiB");
    assert!(peak < idle + ABOVE_IDLE_KIB_MAX, "at rest {idle} KiB, at most {peak} KiB");
    let taken = |kind: &str| world.listed(&["message", "list", "--type", kind]).len();
    assert_eq!((taken("document-request"), taken("progress-report")), (4, 0), "nothing hostile was taken");
}
