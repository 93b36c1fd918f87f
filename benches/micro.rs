//! How long the pure parts take, each beside the raw cryptography of the same run: machines are noisy, ratios less so.
//!
//! `cargo bench` (or `make bench`) prints a table; nothing is asserted.
#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench that cannot be set up has nothing to say"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use mezhved::adapter::{AdapterSet, HeaderView};
use mezhved::crypto::{Certificate, FileSigner, KeyKind, Signer as _, generate};
use mezhved::deadline::{Calendars, Fields, Roll, Start, Term, compute};
use mezhved::domain::{ConversationId, Header, MessageId, MessageType, ParticipantId, Priority, Timestamp, Zone};
use mezhved::envelope::{self, BodyDraft, Draft};
use mezhved::schema::Catalogue;
use mezhved::xml::{self, Limits};

const ROUND: Duration = Duration::from_millis(400);

/// Runs `work` for [`ROUND`] and returns the mean time of one run.
fn mean(mut work: impl FnMut()) -> Duration {
    work();
    let (began, mut runs) = (Instant::now(), 0_u32);
    while began.elapsed() < ROUND {
        work();
        runs += 1;
    }
    began.elapsed() / runs.max(1)
}

fn header() -> Header {
    Header {
        message_id: MessageId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap(),
        conversation_id: ConversationId::parse("01931f6e-7a00-7000-8000-0000000000c1").unwrap(),
        in_reply_to: None,
        case_id: None,
        message_type: MessageType::new("document-request", 1).unwrap(),
        sender: ParticipantId::parse("register").unwrap(),
        recipient: ParticipantId::parse("health").unwrap(),
        created: Timestamp::parse("2026-05-06T05:00:00Z").unwrap(),
        expires: None,
        priority: Priority::Normal,
        test: false,
        via: None,
        derived_from: None,
        attachments: Vec::new(),
    }
}

fn main() {
    let now = Timestamp::parse("2026-05-06T05:00:00Z").unwrap();
    let files = mezhved::bundle::embedded();
    let body = files["schemas/social/document-request/1/samples/health-rich.xml"].clone();
    let made = generate::key_and_certificate(KeyKind::P256, "bench", 30, now).unwrap();
    let signer = FileSigner::from_pem(&made.key_pem, &made.certificate_pem).unwrap();
    let certificates = [Certificate::from_pem(&made.certificate_pem).unwrap()];
    let draft = Draft { header: header(), body: BodyDraft::Xml(body.clone()) };
    let signed = envelope::sign(&draft, &signer).unwrap();
    let limits = Limits::default();
    let catalogue = Catalogue::from_files(&files).map_err(|e| format!("{e:?}")).unwrap();
    let adapters = AdapterSet::from_files(&files).map_err(|e| format!("{e:?}")).unwrap();
    let calendars = Calendars::from_files(&files).unwrap();
    let (kind, view) = (header().message_type, HeaderView::from(&header()));

    let raw = signer.sign(&signed).unwrap();
    let raw_sign = mean(|| drop(black_box(signer.sign(&signed))));
    let raw_verify = mean(|| drop(black_box(certificates[0].verify(signer.algorithm(), &signed, &raw))));
    let rows = [
        ("raw sign (ECDSA P-256)", raw_sign, raw_sign),
        ("raw verify", raw_verify, raw_verify),
        ("compose and sign an envelope", mean(|| drop(black_box(envelope::sign(&draft, &signer)))), raw_sign),
        (
            "read and verify an envelope",
            mean(|| {
                let document = xml::read(&signed, &limits).unwrap();
                let unverified = envelope::read(&document).unwrap();
                drop(black_box(envelope::verify(unverified, &certificates, now).unwrap()));
            }),
            raw_verify,
        ),
        (
            "canonical form",
            mean(|| {
                let document = xml::read(&signed, &limits).unwrap();
                drop(black_box(xml::canonical_bytes(document.root(), None)));
            }),
            raw_verify,
        ),
        ("validate a body", mean(|| catalogue.validate(&kind, black_box(&body)).unwrap()), raw_verify),
        (
            "translate into police XML",
            mean(|| {
                drop(black_box(adapters.get("police").unwrap().to_partner(&kind, &body, &view)));
            }),
            raw_verify,
        ),
        (
            "compute 5 working days",
            mean(|| {
                let zone = Zone::parse("Asia/Yekaterinburg").unwrap();
                let term = Term::parse("5 working days").unwrap();
                let calendar = calendars.get("ru").unwrap();
                drop(black_box(compute(&term, Roll::None, calendar, zone, &Start::Instant(now), &Fields::new())));
            }),
            raw_verify,
        ),
    ];
    println!("{} bytes of envelope", signed.len());
    for (what, time, floor) in rows {
        println!(
            "{what:32} {:>9.1} us   {:>5.1} x raw",
            time.as_secs_f64() * 1e6,
            time.as_secs_f64() / floor.as_secs_f64()
        );
    }
}
