//! Files that messages list and do not carry: who may upload and read them, and the sweep of what nobody needs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::domain::{Digest, Fault, FaultCode, ParticipantId, Timestamp};
use crate::envelope::technical::{Resource, TicketMethod};
use crate::store::{StoreError, StoredFile, WholeAttachment};
use crate::vault::{Incoming, Reading, Received, Scan, Scanner, Vault};

use super::Gateway;
use super::technical::{TicketUse, not_now, resource_text};

/// The lease under which one node sweeps.
const LEASE_NAME: &str = "attachments";
/// Uploads that are forgotten in one transaction.
const FORGOTTEN_AT_ONCE_MAX: u32 = 200;
/// How long after the last moment at which an upload can be at work its unfinished file counts as left behind.
const LEFT_BEHIND_SECONDS: i64 = 600;
/// Calls of a bucket's store that an upload still waits for, one after the other, when all its bytes have come.
const LAST_CALLS_MAX: u64 = 4;

/// Who uploads now, on this node.
#[derive(Debug, Default)]
pub(super) struct Uploads(Mutex<HashMap<ParticipantId, u32>>);

/// One upload's place; given back when dropped.
#[derive(Debug)]
struct Place {
    uploads: Arc<Uploads>,
    participant: ParticipantId,
}

impl Uploads {
    fn take(self: &Arc<Self>, participant: &ParticipantId, all_max: u32, own_max: u32) -> Result<Place, Fault> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<u32>() >= all_max {
            return Err(not_now("attachments.uploads_max uploads are under way"));
        }
        let own = open.entry(participant.clone()).or_insert(0);
        if *own >= own_max {
            return Err(Fault::new(FaultCode::TooFast, format!("you have {own_max} uploads under way; end one first")));
        }
        *own += 1;
        Ok(Place { uploads: self.clone(), participant: participant.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.participant) {
            Some(own) if *own > 1 => *own -= 1,
            Some(_) | None => drop(open.remove(&self.participant)),
        }
    }
}

/// What becomes of a wish to upload.
pub enum Begun {
    /// The bytes are here and known to be the asker's: nothing need be sent. Their number.
    Held(u64),
    /// Send them.
    Upload(Box<Upload>),
}

/// A file on its way in; dropped before its end, it leaves nothing behind.
pub struct Upload {
    gateway: Gateway,
    participant: ParticipantId,
    digest: Digest,
    incoming: Incoming,
    lost: Option<String>,
    _place: Place,
}

/// A file that may be read.
pub struct Readable {
    gateway: Gateway,
    digest: Digest,
    stored: StoredFile,
}

impl Readable {
    /// How large it is.
    pub fn size_bytes(&self) -> u64 {
        self.stored.size_bytes
    }

    /// Its bytes from one on.
    ///
    /// # Errors
    /// `not-now`.
    pub async fn read_from(self, byte: u64) -> Result<Reading, Fault> {
        let Self { gateway, digest, stored } = self;
        match gateway.vault().read(&stored.file, byte, stored.size_bytes).await.map_err(not_now)? {
            Some(bytes) => Ok(bytes),
            None => {
                error!(%digest, "a file is not in the vault any more; is it shared by all nodes?");
                Err(not_now("the file is away"))
            }
        }
    }
}

impl Gateway {
    /// Where the files lie.
    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    async fn holder(&self, token: &str, method: TicketMethod, digest: Digest) -> Result<ParticipantId, Fault> {
        let resource = resource_text(&Resource::Attachment(digest));
        self.ticket_holder(&TicketUse { token, method: method.as_str(), resource: &resource }).await
    }

    /// Begins an upload for whoever shows a ticket for it. `announced` is the size that the peer says, if it does.
    ///
    /// # Errors
    /// `ticket-invalid`, `too-large`, `too-fast` when this participant has too much under way or unlisted, `not-now`.
    pub async fn begin_upload(&self, token: &str, digest: Digest, announced: Option<u64>) -> Result<Begun, Fault> {
        let participant = self.holder(token, TicketMethod::Put, digest).await?;
        let settings = &self.settings().attachments;
        if announced.is_some_and(|size| size > settings.bytes_max) {
            return Err(too_large(settings.bytes_max));
        }
        let lost = match self.already(&participant, digest).await? {
            Already::Held(size) => return Ok(Begun::Held(size)),
            Already::Lost(file) => Some(file),
            Already::No => None,
        };
        let unlisted = self.store().unlisted_bytes(&participant).await.map_err(not_now)?;
        if unlisted.saturating_add(announced.unwrap_or(0)) > settings.unlisted_bytes_max {
            let (max, hours) = (settings.unlisted_bytes_max, settings.orphan_hours_max);
            let detail = format!(
                "you have {unlisted} bytes here that no message of yours lists, and {max} is the limit; send the \
                                  messages that list them, or wait: after {hours} hours they are forgotten"
            );
            return Err(Fault::new(FaultCode::TooFast, detail));
        }
        let (all_max, own_max) = (settings.uploads_max, settings.uploads_per_participant_max);
        let place = self.inner.uploads.take(&participant, all_max, own_max)?;
        let within = Duration::from_secs(u64::from(settings.scanner_seconds_max));
        let scanner = Scanner::new(settings.scanner.clone(), within);
        let incoming = self.vault().begin(digest, scanner).await.map_err(not_now)?;
        let upload = Upload { gateway: self.clone(), participant, digest, incoming, lost, _place: place };
        Ok(Begun::Upload(Box::new(upload)))
    }

    /// Whether a participant need not send the bytes: it sent them before, or it may read them.
    async fn already(&self, participant: &ParticipantId, digest: Digest) -> Result<Already, Fault> {
        let Some(stored) = self.store().attachment_file(digest).await.map_err(not_now)? else { return Ok(Already::No) };
        if !self.vault().holds(&stored.file).await.map_err(not_now)? {
            error!(%digest, "a file is not in the vault any more; the next upload of it takes its place");
            return Ok(Already::Lost(stored.file));
        }
        if self.store().attachment_held(participant, digest).await.map_err(not_now)?.is_some() {
            return Ok(Already::Held(stored.size_bytes));
        }
        if self.store().attachment_for(participant, digest).await.map_err(not_now)?.is_none() {
            // It is here, but to know a digest is not to have the file.
            return Ok(Already::No);
        }
        let size = stored.size_bytes;
        let (participant, now, business_now) = (participant.clone(), self.clock().now(), self.clock().business_now());
        let whole = WholeAttachment { digest, stored, participant, lost: None, now, business_now };
        self.store().attachment_whole(whole).await.map_err(not_now)?;
        Ok(Already::Held(size))
    }

    /// Finds a file for whoever shows a ticket for it and is a party of a message that lists it.
    ///
    /// # Errors
    /// `ticket-invalid`; `not-found` when it is not there or not the asker's to read; `not-now`.
    pub async fn read_attachment(&self, token: &str, digest: Digest) -> Result<Readable, Fault> {
        let participant = self.holder(token, TicketMethod::Get, digest).await?;
        let not_found = || Fault::new(FaultCode::NotFound, "no such attachment of a message of yours");
        let stored = self.store().attachment_for(&participant, digest).await.map_err(not_now)?.ok_or_else(not_found)?;
        Ok(Readable { gateway: self.clone(), digest, stored })
    }
}

enum Already {
    /// Nothing need be sent.
    Held(u64),
    /// It was here; the name of the file that is gone.
    Lost(String),
    No,
}

fn too_large(bytes_max: u64) -> Fault {
    Fault::new(FaultCode::TooLarge, format!("an attachment has at most {bytes_max} bytes"))
}

impl Upload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `too-large`; `not-now` when the disk fails or the bucket's store is away.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let bytes_max = self.gateway.settings().attachments.bytes_max;
        if self.incoming.size_bytes().saturating_add(bytes.len() as u64) > bytes_max {
            return Err(too_large(bytes_max));
        }
        self.incoming.write(bytes).await.map_err(not_now)
    }

    /// Ends it: checks the digest, has it scanned, gives it its place, and lets go the messages that waited for it. Answers its size.
    ///
    /// # Errors
    /// `attachment-invalid` when the digest is another or the scanner refuses; `not-now`.
    pub async fn finish(self) -> Result<u64, Fault> {
        let Self { gateway, participant, digest, incoming, lost, _place } = self;
        let mut received = incoming.finish().await.map_err(not_now)?;
        let size_bytes = received.size_bytes;
        if received.digest != digest {
            info!(%participant, %digest, size_bytes, "an upload has another digest");
            let detail = format!(
                "the {size_bytes} bytes that came have another SHA-256 than the address says; send the file again"
            );
            return Err(Fault::new(FaultCode::AttachmentInvalid, detail));
        }
        scan(&participant, &mut received).await?;
        let file = gateway.vault().keep(received).await.map_err(not_now)?;
        let stored = StoredFile { file: file.clone(), size_bytes };
        let (now, business_now) = (gateway.clock().now(), gateway.clock().business_now());
        let whole = WholeAttachment { digest, stored, participant: participant.clone(), lost, now, business_now };
        match gateway.store().attachment_whole(whole).await {
            Ok(in_use) if in_use == file => info!(%participant, %digest, size_bytes, "an attachment is whole"),
            Ok(_) => gateway.discard(&file).await,
            // It may have been written: if not, the file is a stray, and the sweep removes those.
            Err(error @ StoreError::Unknown) => return Err(not_now(error)),
            Err(error) => {
                gateway.discard(&file).await;
                return Err(not_now(error));
            }
        }
        Ok(size_bytes)
    }
}

async fn scan(participant: &ParticipantId, received: &mut Received) -> Result<(), Fault> {
    let digest = received.digest;
    match received.scan().await {
        Scan::Clean => Ok(()),
        Scan::Refused => {
            warn!(%participant, %digest, "the scanner refused an attachment");
            Err(Fault::new(FaultCode::AttachmentInvalid, "the gateway's scanner refused the file; it was not kept"))
        }
        Scan::Unknown(why) => {
            error!(%participant, %digest, why, "an attachment could not be scanned");
            Err(not_now("the file could not be scanned now"))
        }
    }
}

impl Gateway {
    async fn discard(&self, file: &str) {
        if let Err(error) = self.vault().remove(file).await {
            warn!(%error, "a file that is not needed is left for the sweep");
        }
    }
}

/// Sweeps until cancelled: forgets uploads that no message lists, and removes files that nobody needs.
pub async fn run(gateway: Gateway, stop: CancellationToken) {
    let seconds = gateway.settings().attachments.sweep_seconds;
    let pause = Duration::from_secs(u64::from(seconds));
    while !stop.is_cancelled() {
        if let Err(error) = round(&gateway, seconds).await {
            warn!(error, "attachments could not be swept");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn round(gateway: &Gateway, seconds: u32) -> Result<(), String> {
    let (store, now) = (gateway.store(), gateway.clock().now());
    let lease_ms = seconds.saturating_mul(2_000);
    if store.take_lease(LEASE_NAME, gateway.node(), now, lease_ms).await.map_err(told)?.is_none() {
        return Ok(());
    }
    let hours = i64::from(gateway.settings().attachments.orphan_hours_max);
    loop {
        let before = now.plus_seconds(-hours * 3_600);
        let forgotten = store.forget_attachments(now, before, FORGOTTEN_AT_ONCE_MAX).await.map_err(told)?;
        if forgotten.holdings == 0 {
            break;
        }
        for file in &forgotten.files {
            gateway.discard(file).await;
        }
        info!(
            uploads = forgotten.holdings,
            files = forgotten.files.len(),
            "uploads that no message lists were forgotten"
        );
    }
    let before = left_behind(gateway, now);
    // What the one cannot list does not keep the other from its work.
    let unfinished = gateway.vault().remove_unfinished(before).await.map_err(told);
    let strays = remove_strays(gateway, before).await?;
    let unfinished = unfinished?;
    if unfinished + strays > 0 {
        info!(unfinished, strays, "files that a stopped node left behind were removed");
    }
    Ok(())
}

/// Removes files that no row names. Answers how many there were.
async fn remove_strays(gateway: &Gateway, before: Timestamp) -> Result<usize, String> {
    let (mut strays, mut page) = (0, None);
    loop {
        let (names, next) = gateway.vault().names(before, page).await.map_err(told)?;
        let used = gateway.store().files_in_use(&names).await.map_err(told)?;
        for stray in names.iter().filter(|name| !used.contains(*name)) {
            gateway.discard(stray).await;
            strays += 1;
        }
        page = next;
        if page.is_none() {
            return Ok(strays);
        }
    }
}

/// Files that were not written to since this instant belong to no upload that is still at work.
fn left_behind(gateway: &Gateway, now: Timestamp) -> Timestamp {
    let settings = &gateway.settings().attachments;
    let calls_ms =
        settings.s3.timeout_ms.saturating_mul(u64::from(settings.s3.attempts_max)).saturating_mul(LAST_CALLS_MAX);
    let calls = if settings.s3.is_on() { i64::try_from(calls_ms / 1_000).unwrap_or(i64::MAX / 4) } else { 0 };
    let longest = i64::from(settings.upload_seconds_max) + i64::from(settings.scanner_seconds_max) + calls;
    now.plus_seconds(-(longest + LEFT_BEHIND_SECONDS))
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
