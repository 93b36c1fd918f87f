//! A system's own records: append-only files that are on disk before anybody is told of what they hold.
//!
//! ```text
//! HOME/sent.jsonl        a line for each message sent, and one more when the gateway's receipt is verified
//! HOME/received.jsonl    a line for each message received, the first time only
//! HOME/envelopes/        exact bytes: out-ID.xml, receipt-ID.xml, in-SENDER-ID.xml; what is no XML ends in .json
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::{MessageId, ParticipantId};

const SENT: &str = "sent.jsonl";
const RECEIVED: &str = "received.jsonl";

/// A message that the system sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// Its id.
    pub(crate) id: MessageId,
    /// Whom it is for.
    pub(crate) to: ParticipantId,
    /// Its type.
    pub(crate) kind: String,
    /// Its content digest, hexadecimal.
    pub(crate) digest: String,
    /// Whether the gateway's receipt for exactly this content was verified.
    pub(crate) receipted: bool,
}

/// A message that the system received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Received {
    /// Who sent it.
    pub(crate) sender: ParticipantId,
    /// Its id.
    pub(crate) id: MessageId,
    /// Its type.
    pub(crate) kind: String,
    /// The content digest of what was delivered, hexadecimal.
    pub(crate) digest: String,
}

/// The open files of a running system.
pub(super) struct Records {
    envelopes: PathBuf,
    sent: File,
    received: File,
    known: BTreeSet<(ParticipantId, MessageId)>,
}

impl Records {
    /// Opens the records of a home, making them when they are not there.
    pub(super) fn open(home: &Path) -> io::Result<Self> {
        let envelopes = home.join("envelopes");
        std::fs::create_dir_all(&envelopes)?;
        let known = received(home)?.into_iter().map(|r| (r.sender, r.id)).collect();
        Ok(Self { envelopes, sent: append(&home.join(SENT))?, received: append(&home.join(RECEIVED))?, known })
    }

    /// Before a message is sent for the first time: its bytes, then its line.
    pub(super) fn sending(&mut self, sent: &Sent, bytes: &[u8]) -> io::Result<()> {
        self.keep(&format!("out-{}", sent.id), bytes)?;
        write_line(&mut self.sent, sent)
    }

    /// After the gateway's receipt was verified.
    pub(super) fn receipted(&mut self, sent: &Sent, receipt: &[u8]) -> io::Result<()> {
        self.keep(&format!("receipt-{}", sent.id), receipt)?;
        write_line(&mut self.sent, &Sent { receipted: true, ..sent.clone() })
    }

    /// Before a received message is receipted. Returns whether it is new.
    pub(super) fn receive(&mut self, received: &Received, bytes: &[u8]) -> io::Result<bool> {
        let key = (received.sender.clone(), received.id);
        if self.known.contains(&key) {
            return Ok(false);
        }
        self.keep(&format!("in-{}-{}", received.sender, received.id), bytes)?;
        write_line(&mut self.received, received)?;
        self.known.insert(key);
        Ok(true)
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // Bodies without envelopes may be JSON, which never begins so.
        let is_xml = bytes.trim_ascii_start().first() == Some(&b'<') || bytes.starts_with(b"\xef\xbb\xbf<");
        let end = if is_xml { "xml" } else { "json" };
        let mut file = File::create(self.envelopes.join(format!("{name}.{end}")))?;
        file.write_all(bytes)?;
        file.sync_data()
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

/// The messages that the system of this home sent, by id.
///
/// # Errors
/// When the file cannot be read or a line of it is broken.
pub(crate) fn sent(home: &Path) -> io::Result<BTreeMap<MessageId, Sent>> {
    let mut all = BTreeMap::new();
    for line in lines::<Sent>(&home.join(SENT))? {
        all.insert(line.id, line);
    }
    Ok(all)
}

/// The messages that the system of this home received, as they came.
///
/// # Errors
/// When the file cannot be read or a line of it is broken.
pub(crate) fn received(home: &Path) -> io::Result<Vec<Received>> {
    lines(&home.join(RECEIVED))
}

fn lines<T: serde::de::DeserializeOwned>(path: &Path) -> io::Result<Vec<T>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_after_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let id = MessageId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap();
        let party = ParticipantId::parse("health").unwrap();
        let sent = Sent { id, to: party.clone(), kind: "x".into(), digest: "00".into(), receipted: false };
        let received = Received { sender: party, id, kind: "x".into(), digest: "00".into() };
        let mut records = Records::open(home.path()).unwrap();
        records.sending(&sent, b"<out/>").unwrap();
        assert!(!super::sent(home.path()).unwrap()[&id].receipted);
        records.receipted(&sent, b"<receipt/>").unwrap();
        assert!(super::sent(home.path()).unwrap()[&id].receipted);
        assert!(records.receive(&received, b"<in/>").unwrap());
        assert!(!records.receive(&received, b"<in/>").unwrap());
        let mut again = Records::open(home.path()).unwrap();
        assert!(!again.receive(&received, b"<in/>").unwrap());
        assert_eq!(super::received(home.path()).unwrap(), [received]);
        assert_eq!(std::fs::read(home.path().join(format!("envelopes/out-{id}.xml"))).unwrap(), b"<out/>");
    }
}
