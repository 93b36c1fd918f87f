//! Keys, envelopes and other implementations for the tests of signatures.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mezhved::crypto::{Certificate, FileSigner, KeyKind, SignatureAlgorithm, generate};
use mezhved::domain::{
    Attachment, CaseId, ConversationId, Digest, Fault, Header, MessageId, MessageType, ParticipantId, Priority,
    Timestamp, Via,
};
use mezhved::envelope::{self, BodyDraft, Draft, Envelope, Verified};
use mezhved::xml::{self, Limits};

/// The instant of the tests.
pub(super) fn now() -> Timestamp {
    Timestamp::parse("2026-05-06T05:00:00Z").unwrap()
}

/// A key with its certificate as PEM and as a signer.
pub(super) struct Key {
    pub(super) key_pem: String,
    pub(super) certificate_pem: String,
    pub(super) certificate: Certificate,
    pub(super) signer: FileSigner,
}

/// A new key, valid for a hundred years from an hour before [`now`].
pub(super) fn key(kind: KeyKind) -> Key {
    from_pems(generate::key_and_certificate(kind, "health", 36_500, now()).unwrap())
}

/// A new key that signs with another algorithm than its kind's default.
pub(super) fn key_with(kind: KeyKind, algorithm: SignatureAlgorithm) -> Key {
    let key = key(kind);
    Key { signer: key.signer.with_algorithm(algorithm).unwrap(), ..key }
}

pub(super) fn from_pems(pems: generate::Generated) -> Key {
    Key {
        signer: FileSigner::from_pem(&pems.key_pem, &pems.certificate_pem).unwrap(),
        certificate: Certificate::from_pem(&pems.certificate_pem).unwrap(),
        key_pem: String::from_utf8(pems.key_pem).unwrap(),
        certificate_pem: String::from_utf8(pems.certificate_pem).unwrap(),
    }
}

pub(super) const BODY: &str = r#"<p:DocumentRequest xmlns:p="urn:mezhved:social:document-request:1" kind="a&#10;b &quot;c&quot;">
  <p:gist>Справка о составе семьи &amp; доходах</p:gist><plain xmlns="">&lt;&#13;&gt;</plain>
  <p:list><p:item/><p:item>2</p:item></p:list>
</p:DocumentRequest>"#;

/// A header with every field.
pub(super) fn full_header() -> Header {
    let inline = b"%PDF-1.7".to_vec();
    let file = Attachment {
        digest: mezhved::crypto::sha256(&inline),
        size_bytes: 8,
        media_type: "application/pdf".to_owned(),
        name: "Справка \"о семье\".pdf".to_owned(),
        inline: Some(inline),
        signs: None,
    };
    let signature = Attachment {
        digest: Digest::from_bytes([7; 32]),
        size_bytes: 5_000_000_000,
        media_type: "application/pkcs7-signature; q=1".to_owned(),
        name: "Справка.sig".to_owned(),
        inline: None,
        signs: Some(file.digest),
    };
    let via = Via {
        gateway: ParticipantId::parse("gateway").unwrap(),
        accepted_at: Timestamp::parse("2026-05-06T04:59:59.123Z").unwrap(),
        digest: Digest::from_bytes([9; 32]),
    };
    Header {
        in_reply_to: Some(MessageId::parse("01931f6e-7a00-7000-8000-00000000000a").unwrap()),
        case_id: Some(CaseId::parse("01931f6e-7a00-4000-8000-00000000000b").unwrap()),
        expires: Some(Timestamp::parse("2026-06-06T05:00:00Z").unwrap()),
        priority: Priority::Urgent,
        test: true,
        via: Some(via),
        derived_from: Some(MessageId::parse("01931f6e-7a00-7000-8000-00000000000c").unwrap()),
        attachments: vec![file, signature],
        ..header()
    }
}

/// A header with the required fields.
pub(super) fn header() -> Header {
    Header {
        message_id: MessageId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap(),
        conversation_id: ConversationId::parse("01931f6e-7a00-4000-8000-000000000002").unwrap(),
        in_reply_to: None,
        case_id: None,
        message_type: MessageType::new("document-request", 1).unwrap(),
        sender: ParticipantId::parse("health").unwrap(),
        recipient: ParticipantId::parse("register").unwrap(),
        created: now(),
        expires: None,
        priority: Priority::Normal,
        test: false,
        via: None,
        derived_from: None,
        attachments: Vec::new(),
    }
}

pub(super) fn draft() -> Draft {
    Draft { header: header(), body: BodyDraft::Xml(BODY.as_bytes().to_vec()) }
}

/// Reads and verifies, and tells what was found about it by `look`.
pub(super) fn judge_with<T>(
    bytes: &[u8],
    certificates: &[Certificate],
    at: Timestamp,
    look: impl Fn(&Verified<Envelope<'_>>) -> T,
) -> Result<T, Fault> {
    let document = xml::read(bytes, &Limits::default())?;
    let verified = envelope::verify(envelope::read(&document)?, certificates, at)?;
    Ok(look(&verified))
}

/// Reads and verifies at [`now`]; the content digest.
pub(super) fn judge(bytes: &[u8], certificates: &[Certificate]) -> Result<Digest, Fault> {
    judge_with(bytes, certificates, now(), |v| v.content_digest())
}

/// Asks the Python oracle.
pub(super) fn oracle(command: &str, jobs: &serde_json::Value) -> Vec<serde_json::Value> {
    let python = std::env::var_os("MEZHVED_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/signature/oracle.py");
    let mut child = Command::new(&python)
        .args([script, command])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| {
            panic!("{}: {e}; the tests need Python 3 with lxml, signxml and cryptography", python.display())
        });
    let input = serde_json::to_vec(jobs).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    assert!(output.status.success(), "oracle {command} failed; its words are above");
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers.len(), jobs.as_array().unwrap().len());
    answers
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn unbase64(value: &serde_json::Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}
