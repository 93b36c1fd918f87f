//! The folder of a helper's identity: its keys and the gateway's certificate. The folder's name is the participant's id.

use std::path::Path;

use super::BenchError;
use crate::crypto::generate::Generated;
use crate::crypto::{Certificate, FileSigner};
use crate::domain::ParticipantId;
use crate::system::{Behaviour, Identity, Profile, Way};

/// The gateway's participant id.
pub(super) const GATEWAY_ID: &str = "mezhved";

const KEY: &str = "key.pem";
const CERTIFICATE: &str = "certificate.pem";
const GATEWAY: &str = "gateway.pem";
const BROKER: &str = "broker";

/// Writes a file and the folders above it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BenchError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| BenchError::defect(&e))?;
    }
    std::fs::write(path, bytes).map_err(|e| BenchError::defect(&e))
}

/// An id of the bench's own making.
pub(super) fn id(text: &str) -> Result<ParticipantId, BenchError> {
    ParticipantId::parse(text).map_err(|e| BenchError::defect(&e))
}

/// Makes a home.
pub(super) fn make(folder: &Path, keys: &Generated, gateway: &[u8]) -> Result<(), BenchError> {
    write(&folder.join(KEY), &keys.key_pem)?;
    write(&folder.join(CERTIFICATE), &keys.certificate_pem)?;
    write(&folder.join(GATEWAY), gateway)
}

/// Reads a home.
pub(super) fn load(folder: &Path) -> Result<Identity, BenchError> {
    let read = |name: &str| {
        std::fs::read(folder.join(name)).map_err(|e| BenchError::Defect(format!("{}/{name}: {e}", folder.display())))
    };
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let profile = Profile {
        id: id(name)?,
        gateway: id(GATEWAY_ID)?,
        name: name.to_owned(),
        adapter: None,
        way: Way::Http,
        behaviour: Behaviour::Honest,
        pause_seconds: 0,
    };
    let signer = FileSigner::from_pem(&read(KEY)?, &read(CERTIFICATE)?).map_err(|e| BenchError::defect(&e))?;
    let trusted = Certificate::from_pem(&read(GATEWAY)?).map_err(|e| BenchError::defect(&e))?;
    Ok(Identity::new(profile, signer, trusted))
}

/// Writes the broker's address into a helper's folder.
pub(super) fn give_broker(folder: &Path, url: &str) -> Result<(), BenchError> {
    write(&folder.join(BROKER), url.as_bytes())
}

/// The broker's address, if the helper has a part in it.
pub(super) fn broker(folder: &Path) -> Result<Option<String>, BenchError> {
    let path = folder.join(BROKER);
    match std::fs::read_to_string(&path) {
        Ok(url) => Ok(Some(url)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BenchError::Defect(format!("{}: {error}", path.display()))),
    }
}
