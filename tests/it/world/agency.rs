//! An agency's system as the tests play it: a key, its certificate, and what it writes and signs.

use std::path::{Path, PathBuf};

use mezhved::crypto::{Certificate, FileSigner, KeyKind, Signer as _, generate};
use mezhved::domain::{ConversationId, Header, MessageId, MessageType, ParticipantId, Priority, Timestamp};
use mezhved::envelope::technical::{FaultReport, Receipt, RefusedDigest, TechnicalBody};
use mezhved::envelope::{self, BodyDraft, Draft};
use mezhved::gateway::Clock;
use uuid::Uuid;

use super::opened::Opened;
use crate::support::mezhved;

/// The gateway's own id, as the settings have it by default.
pub(crate) const GATEWAY: &str = "mezhved";

/// The machine's time.
pub(crate) fn now() -> Timestamp {
    Clock::default().now()
}

/// Parses a participant id.
pub(crate) fn participant(id: &str) -> ParticipantId {
    ParticipantId::parse(id).unwrap()
}

/// A new message id.
pub(crate) fn new_id() -> MessageId {
    MessageId::from_uuid(Uuid::now_v7())
}

/// A key with its certificate, as files and ready to sign.
pub(crate) struct Agency {
    pub(crate) id: ParticipantId,
    pub(crate) key_file: PathBuf,
    pub(crate) certificate_file: PathBuf,
    pub(crate) signer: FileSigner,
}

impl Agency {
    /// Makes a key and a certificate in `folder` with `mezhved key generate`.
    pub(crate) fn generate(folder: &Path, id: &str) -> Self {
        mezhved(&["key", "generate", "--out", folder.to_str().unwrap(), "--name", id]).done();
        Self::read(folder, id)
    }

    /// Makes a certificate that ended yesterday, which the command does not.
    pub(crate) fn expired(folder: &Path, id: &str) -> Self {
        let made = generate::key_and_certificate(KeyKind::P256, id, 1, now().plus_seconds(-2 * 86_400)).unwrap();
        std::fs::write(folder.join(format!("{id}.key.pem")), &made.key_pem).unwrap();
        std::fs::write(folder.join(format!("{id}.cert.pem")), &made.certificate_pem).unwrap();
        Self::read(folder, id)
    }

    /// Reads what [`Agency::generate`] made.
    pub(crate) fn read(folder: &Path, id: &str) -> Self {
        let (key_file, certificate_file) =
            (folder.join(format!("{id}.key.pem")), folder.join(format!("{id}.cert.pem")));
        let (key, certificate) = (std::fs::read(&key_file).unwrap(), std::fs::read(&certificate_file).unwrap());
        let signer = FileSigner::from_pem(&key, &certificate).unwrap();
        Self { id: participant(id), key_file, certificate_file, signer }
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        self.signer.certificate()
    }

    /// Signs a draft as it is, whoever it says that it is from.
    pub(crate) fn sign(&self, draft: &Draft) -> Vec<u8> {
        envelope::sign(draft, &self.signer).unwrap()
    }

    /// A header of a new message of this agency, of version 1, created now.
    pub(crate) fn header(&self, to: &str, kind: &str) -> Header {
        Header {
            message_id: new_id(),
            conversation_id: ConversationId::from_uuid(Uuid::now_v7()),
            in_reply_to: None,
            case_id: None,
            message_type: MessageType::new(kind, 1).unwrap(),
            sender: self.id.clone(),
            recipient: participant(to),
            created: now(),
            expires: None,
            priority: Priority::Normal,
            test: false,
            via: None,
            derived_from: None,
            attachments: Vec::new(),
        }
    }

    /// A new message of this agency.
    pub(crate) fn draft(&self, to: &str, kind: &str, body: impl Into<Vec<u8>>) -> Draft {
        Draft { header: self.header(to, kind), body: BodyDraft::Xml(body.into()) }
    }

    /// A new message of this agency in the conversation of another, as its answer.
    pub(crate) fn answer(&self, to: &Header, kind: &str, body: impl Into<Vec<u8>>) -> Draft {
        let mut draft = self.draft(to.sender.as_str(), kind, body);
        draft.header.conversation_id = to.conversation_id;
        draft.header.in_reply_to = Some(to.message_id);
        draft.header.case_id = to.case_id;
        draft
    }

    /// A technical message to the gateway, unsigned.
    pub(crate) fn technical<B: TechnicalBody>(&self, body: &B) -> Draft {
        self.draft(GATEWAY, B::KIND.name(), body.to_xml().unwrap())
    }

    /// The signed receipt for what was delivered.
    pub(crate) fn receipt(&self, delivered: &Opened) -> Vec<u8> {
        let receipt = Receipt {
            message_id: delivered.header.message_id,
            sender: delivered.header.sender.clone(),
            digest: delivered.digest,
            accepted_at: now(),
            revision: None,
        };
        self.sign(&self.about(delivered, &receipt))
    }

    /// The signed fault for what was delivered.
    pub(crate) fn refusal(&self, delivered: &Opened, code: &str) -> Vec<u8> {
        let report = FaultReport {
            message_id: Some(delivered.header.message_id),
            code: code.to_owned(),
            text: "No.".to_owned(),
            detail: None,
            digest: Some(RefusedDigest::Content(delivered.digest)),
        };
        self.sign(&self.about(delivered, &report))
    }

    fn about<B: TechnicalBody>(&self, delivered: &Opened, body: &B) -> Draft {
        let mut draft = self.technical(body);
        draft.header.conversation_id = delivered.header.conversation_id;
        draft.header.in_reply_to = Some(delivered.header.message_id);
        draft
    }
}
