//! A file on its way into a bucket: parts of one size, a few of them on their way at once, completed or ended.

use std::collections::VecDeque;
use std::sync::Arc;

use reqwest::{Method, header};
use rusty_s3::S3Action as _;
use rusty_s3::actions::{CompleteMultipartUploadResponse, CreateMultipartUpload};
use tokio_util::bytes::Bytes;
use tokio_util::task::AbortOnDropHandle;

use super::client::URL_LIFE;
use super::{Bucket, S3Error};

/// Parts of one file on their way at once. With the one that is being filled, so many are in memory.
const PARTS_IN_FLIGHT_MAX: usize = 2;
/// The most parts that a store takes.
const PARTS_MAX: u16 = 10_000;

/// A file on its way. Dropped, it leaves nothing behind.
pub(in crate::vault) struct Sending {
    bucket: Arc<Bucket>,
    key: String,
    buffer: Vec<u8>,
    parts: Option<Parts>,
}

/// What has gone up of it.
struct Parts {
    upload: Upload,
    on_their_way: VecDeque<AbortOnDropHandle<Result<String, S3Error>>>,
    etags: Vec<String>,
    begun: u16,
}

/// An upload in parts; ended when dropped.
struct Upload {
    bucket: Arc<Bucket>,
    key: String,
    id: Option<String>,
}

/// A file that is all there, and not an object yet. Dropped, it leaves nothing behind.
pub(in crate::vault) struct Sent {
    bucket: Arc<Bucket>,
    key: String,
    what: What,
}

enum What {
    /// Not sent yet: it is small.
    Small(Bytes),
    /// All parts are there.
    Parts(Upload, Vec<String>),
}

impl Sending {
    pub(super) fn new(bucket: Arc<Bucket>, key: String) -> Self {
        Self { bucket, key, buffer: Vec::new(), parts: None }
    }

    pub(in crate::vault) async fn write(&mut self, mut bytes: &[u8]) -> Result<(), S3Error> {
        let part_bytes = self.bucket.part_bytes;
        while let Some((now, later)) = bytes.split_at_checked(part_bytes.saturating_sub(self.buffer.len())) {
            self.buffer.extend_from_slice(now);
            self.part().await?;
            bytes = later;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Sends off what is gathered as a part.
    async fn part(&mut self) -> Result<(), S3Error> {
        let bytes = Bytes::from(std::mem::take(&mut self.buffer));
        let parts = match &mut self.parts {
            Some(parts) => parts,
            None => {
                let upload = Upload::begin(self.bucket.clone(), self.key.clone()).await?;
                let (on_their_way, etags) = (VecDeque::new(), Vec::new());
                self.parts.insert(Parts { upload, on_their_way, etags, begun: 0 })
            }
        };
        while parts.on_their_way.len() >= PARTS_IN_FLIGHT_MAX {
            parts.arrived().await?;
        }
        if parts.begun == PARTS_MAX {
            return Err(S3Error::Setup(format!("a file has at most {PARTS_MAX} parts of {} bytes", bytes.len())));
        }
        parts.begun += 1;
        parts.on_their_way.push_back(parts.upload.part(parts.begun, bytes));
        Ok(())
    }

    pub(in crate::vault) async fn finish(mut self) -> Result<Sent, S3Error> {
        if self.parts.is_some() && !self.buffer.is_empty() {
            self.part().await?;
        }
        let what = match self.parts.take() {
            None => What::Small(std::mem::take(&mut self.buffer).into()),
            Some(mut parts) => {
                while !parts.on_their_way.is_empty() {
                    parts.arrived().await?;
                }
                What::Parts(parts.upload, parts.etags)
            }
        };
        Ok(Sent { bucket: self.bucket, key: self.key, what })
    }
}

impl Parts {
    /// Waits for the oldest part.
    async fn arrived(&mut self) -> Result<(), S3Error> {
        let Some(part) = self.on_their_way.pop_front() else { return Ok(()) };
        let lost = |why: tokio::task::JoinError| S3Error::Away { action: "put part", why: why.to_string() };
        self.etags.push(part.await.map_err(lost)??);
        Ok(())
    }
}

impl Sent {
    /// Makes it an object.
    pub(super) async fn complete(self, size_bytes: u64) -> Result<(), S3Error> {
        match self.what {
            What::Small(bytes) => self.bucket.put(&self.key, bytes).await,
            What::Parts(upload, etags) => upload.complete(&etags, size_bytes).await,
        }
    }
}

impl Upload {
    async fn begin(bucket: Arc<Bucket>, key: String) -> Result<Self, S3Error> {
        const ACTION: &str = "begin upload";
        let client = &bucket.client;
        let action = client.bucket.create_multipart_upload(client.credentials(), &key);
        let answer = client.send(ACTION, Method::POST, || action.sign(URL_LIFE), Bytes::new()).await?;
        let text = client.text(ACTION, answer).await?;
        let begun = CreateMultipartUpload::parse_response(&text);
        let id = begun.map_err(|_| S3Error::Unreadable { action: ACTION })?.upload_id().to_owned();
        Ok(Self { bucket, key, id: Some(id) })
    }

    /// Sends a part, in a task of its own.
    fn part(&self, number: u16, bytes: Bytes) -> AbortOnDropHandle<Result<String, S3Error>> {
        const ACTION: &str = "put part";
        let (bucket, key, id) = (self.bucket.clone(), self.key.clone(), self.id.clone().unwrap_or_default());
        AbortOnDropHandle::new(tokio::spawn(async move {
            let client = &bucket.client;
            let action = client.bucket.upload_part(client.credentials(), &key, number, &id);
            let answer = client.send(ACTION, Method::PUT, || action.sign(URL_LIFE), bytes).await?;
            let etag = answer.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok());
            etag.map(str::to_owned).ok_or(S3Error::Unreadable { action: ACTION })
        }))
    }

    async fn complete(mut self, etags: &[String], size_bytes: u64) -> Result<(), S3Error> {
        const ACTION: &str = "complete upload";
        let id = self.id.clone().unwrap_or_default();
        let bucket = self.bucket.clone();
        let client = &bucket.client;
        let etags = || etags.iter().map(String::as_str);
        let action = client.bucket.complete_multipart_upload(client.credentials(), &self.key, &id, etags());
        let body = client.bucket.complete_multipart_upload(client.credentials(), &self.key, &id, etags()).body();
        let completed = async {
            let answer = client.send(ACTION, Method::POST, || action.sign(URL_LIFE), body.into()).await?;
            // A store may say 200 before it knows, and then no.
            let text = client.text(ACTION, answer).await?;
            CompleteMultipartUploadResponse::parse(&text).map_err(|_| S3Error::Unreadable { action: ACTION })
        };
        if let Err(error) = completed.await {
            // It may have done it and its answer was lost: the key is nobody else's, so an object there is this one.
            match bucket.size_of_key(&self.key).await {
                Ok(Some(size)) if size == size_bytes => {}
                Ok(_) | Err(_) => return Err(error),
            }
        }
        self.id = None;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let (bucket, key) = (self.bucket.clone(), std::mem::take(&mut self.key));
        // Without a runtime the node is at its end, and the sweep finds it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = bucket.client.abort(&key, &id).await {
                    tracing::debug!(%error, "an unfinished upload is left for the sweep");
                }
            });
        }
    }
}
