//! Files in a bucket of an S3-compatible store, under `{prefix}sha256/{two digits}/{name}`.
//!
//! A large file goes up in parts while it comes; the upload is completed only when its digest and the scanner have spoken, so what is cut,
//! wrong or refused never becomes an object. A file smaller than a part is sent whole then. What a killed node left is found by the sweep.

mod client;
mod sending;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Method, Response};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Credentials, S3Action as _};
use tokio_util::bytes::Bytes;
use url::Url;
use uuid::Uuid;

use client::{Client, URL_LIFE};
pub(super) use sending::{Sending, Sent};

use super::{Page, Reading, is_name};
use crate::domain::Timestamp;
use crate::settings::{self, Secret};

/// Where, below the prefix, files have their places.
const FILES: &str = "sha256/";
/// Where, below the prefix, a node sees at its start that it can write.
const STARTS: &str = "start/";

/// How a bucket is reached.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// The store's address, `https://host:port`.
    pub endpoint: Url,
    /// Whether the bucket's name is in the path and not in the host's name.
    pub path_style: bool,
    /// The bucket.
    pub bucket: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Before every key; empty or ending with `/`.
    pub prefix: String,
    /// Whose key signs requests.
    pub credentials: Credentials,
    /// More trusted authorities, PEM.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Bytes of a part; a file below is sent at once.
    pub part_bytes: usize,
    /// For one call, and for one byte of an answer to come.
    pub timeout: Duration,
    /// Attempts of one call before it is given up.
    pub attempts_max: u32,
}

impl S3Options {
    /// As the settings say, with the secret and the authorities that they name.
    ///
    /// # Errors
    /// When the address is none.
    pub fn of(settings: &settings::S3, secret: &Secret, extra_roots_pem: Vec<Vec<u8>>) -> Result<Self, S3Error> {
        Ok(Self {
            endpoint: Url::parse(&settings.endpoint).map_err(|error| S3Error::Setup(error.to_string()))?,
            path_style: settings.path_style,
            bucket: settings.bucket.clone(),
            region: settings.region.clone(),
            prefix: settings.prefix.clone(),
            credentials: Credentials::new(&settings.access_key, secret.reveal()),
            extra_roots_pem,
            part_bytes: usize::try_from(settings.part_bytes).unwrap_or(usize::MAX),
            timeout: Duration::from_millis(settings.timeout_ms),
            attempts_max: settings.attempts_max,
        })
    }
}

/// Why a bucket did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// It cannot be asked: an address, a certificate.
    #[error("хранилище вложений / the store of attachments: {0}")]
    Setup(String),
    /// No answer, or none that is final, in all attempts.
    #[error("{action}: the store of attachments is away: {why}")]
    Away {
        /// What was asked.
        action: &'static str,
        /// What stood in the way last.
        why: String,
    },
    /// It says no.
    #[error("{action}: the store of attachments answers {status} {code}")]
    Refused {
        /// What was asked.
        action: &'static str,
        /// The status of HTTP.
        status: u16,
        /// Its own code, such as `AccessDenied`.
        code: String,
    },
    /// Its answer is not of S3.
    #[error("{action}: the store of attachments gives an answer that cannot be read")]
    Unreadable {
        /// What was asked.
        action: &'static str,
    },
}

impl S3Error {
    fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

impl From<S3Error> for io::Error {
    fn from(error: S3Error) -> Self {
        Self::other(error)
    }
}

/// The bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    client: Client,
    prefix: String,
    part_bytes: usize,
}

impl Bucket {
    pub(super) fn new(options: S3Options) -> Result<Self, S3Error> {
        let (prefix, part_bytes) = (options.prefix.clone(), options.part_bytes);
        Ok(Self { client: Client::new(options)?, prefix, part_bytes })
    }

    pub(super) fn place(&self) -> String {
        format!("s3://{}/{}", self.client.bucket.name(), self.prefix)
    }

    /// Sees that files can be listed, written and removed. That the store is away now is no error: it may come back.
    pub(super) async fn prepare(&self) -> Result<(), S3Error> {
        match self.try_out().await {
            Err(error @ S3Error::Away { .. }) => {
                tracing::warn!(%error, "uploads and downloads are answered with 503 until it is back");
                Ok(())
            }
            tried => tried,
        }
    }

    async fn try_out(&self) -> Result<(), S3Error> {
        self.page("list", None, |list| list.with_max_keys(1)).await?;
        let key = format!("{}{STARTS}{}", self.prefix, Uuid::now_v7().simple());
        self.put(&key, Bytes::new()).await?;
        self.delete(&key).await
    }

    pub(super) fn begin(self: &Arc<Self>, name: &str) -> Sending {
        Sending::new(self.clone(), self.key(name))
    }

    pub(super) async fn keep(&self, sent: Sent, size_bytes: u64) -> Result<(), S3Error> {
        sent.complete(size_bytes).await
    }

    /// The size of a file; `None`: it is not there.
    pub(super) async fn size_of(&self, name: &str) -> Result<Option<u64>, S3Error> {
        self.size_of_key(&self.key(name)).await
    }

    async fn size_of_key(&self, key: &str) -> Result<Option<u64>, S3Error> {
        let action = self.client.bucket.head_object(self.client.credentials(), key);
        match self.client.send("head", Method::HEAD, || action.sign(URL_LIFE), Bytes::new()).await {
            Ok(answer) => {
                let size = answer.headers().get(reqwest::header::CONTENT_LENGTH);
                let size = size.and_then(|size| size.to_str().ok()?.parse().ok());
                Ok(Some(size.ok_or(S3Error::Unreadable { action: "head" })?))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads on from a byte; where the connection breaks, a new request goes on from there.
    pub(super) async fn read(self: Arc<Self>, name: &str, from: u64, end: u64) -> Result<Option<Reading>, S3Error> {
        let mut down = Down { key: self.key(name), bucket: self, at: from, end, answer: None, broken: 0 };
        // An answer is awaited here, so that a file that is not there is not a broken download.
        match down.ask().await {
            Ok(answer) => down.answer = Some(answer),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        }
        let bytes = futures_util::stream::try_unfold(down, |mut down| async move {
            Ok::<_, io::Error>(down.next().await?.map(|bytes| (bytes, down)))
        });
        Ok(Some(bytes.boxed()))
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), S3Error> {
        self.delete(&self.key(name)).await
    }

    async fn delete(&self, key: &str) -> Result<(), S3Error> {
        let action = self.client.bucket.delete_object(self.client.credentials(), key);
        match self.client.send("delete", Method::DELETE, || action.sign(URL_LIFE), Bytes::new()).await {
            Err(error) if !error.is_not_found() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), S3Error> {
        let action = self.client.bucket.put_object(self.client.credentials(), key);
        self.client.send("put", Method::PUT, || action.sign(URL_LIFE), bytes).await.map(drop)
    }

    async fn page(
        &self,
        what: &'static str,
        page: Option<Page>,
        more: impl FnOnce(&mut ListObjectsV2<'_>),
    ) -> Result<rusty_s3::actions::ListObjectsV2Response, S3Error> {
        let mut list = self.client.bucket.list_objects_v2(self.client.credentials());
        list.with_prefix(format!("{}{FILES}", self.prefix));
        more(&mut list);
        if let Some(Page(token)) = page {
            list.with_continuation_token(token);
        }
        let answer = self.client.send(what, Method::GET, || list.sign(URL_LIFE), Bytes::new()).await?;
        let text = self.client.text(what, answer).await?;
        ListObjectsV2::parse_response(&text).map_err(|_| S3Error::Unreadable { action: what })
    }

    pub(super) async fn names(
        &self,
        before: Timestamp,
        page: Option<Page>,
    ) -> Result<(Vec<String>, Option<Page>), S3Error> {
        let listed = self.page("list", page, |_| {}).await?;
        let older = |at: Option<&String>| at.and_then(|at| Timestamp::parse(at)).is_some_and(|at| at < before);
        let old = listed.contents.iter().filter(|one| older(one.last_modified.as_ref()));
        let names = old.filter_map(|one| self.name(&one.key)).map(str::to_owned).collect();
        Ok((names, listed.next_continuation_token.map(Page)))
    }

    /// Ends uploads in parts that nobody completed. A store that lists none of them has to forget them by a rule of its own.
    pub(super) async fn remove_unfinished(&self, before: Timestamp) -> Result<usize, S3Error> {
        let (mut removed, mut after) = (0, None);
        loop {
            let page = self.client.uploads(&format!("{}{FILES}", self.prefix), after).await?;
            for upload in page.uploads {
                let ours = self.name(&upload.key).is_some();
                if ours && Timestamp::parse(&upload.initiated).is_some_and(|begun| begun < before) {
                    self.client.abort(&upload.key, &upload.id).await?;
                    removed += 1;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(removed);
            }
        }
    }

    /// Two hexadecimal digits of folders, for whoever looks at the bucket as at a tree.
    fn key(&self, name: &str) -> String {
        format!("{}{FILES}{}/{name}", self.prefix, name.get(..2).unwrap_or("00"))
    }

    /// The name behind a key; `None`: the object is not ours.
    fn name<'k>(&self, key: &'k str) -> Option<&'k str> {
        let (shard, name) = key.strip_prefix(&self.prefix)?.strip_prefix(FILES)?.split_once('/')?;
        (is_name(name) && name.starts_with(shard)).then_some(name)
    }
}

/// A file on its way out.
struct Down {
    bucket: Arc<Bucket>,
    key: String,
    at: u64,
    end: u64,
    answer: Option<Response>,
    broken: u32,
}

impl Down {
    async fn ask(&self) -> Result<Response, S3Error> {
        let client = &self.bucket.client;
        let action = client.bucket.get_object(client.credentials(), &self.key);
        client.get(|| action.sign(URL_LIFE), self.at).await
    }

    async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        while self.at < self.end {
            let mut answer = match self.answer.take() {
                Some(answer) => answer,
                None => self.ask().await?,
            };
            let why = match answer.chunk().await {
                Ok(Some(mut bytes)) => {
                    let wanted = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
                    bytes.truncate(wanted);
                    self.at += bytes.len() as u64;
                    self.answer = Some(answer);
                    self.broken = 0;
                    return Ok(Some(bytes));
                }
                Ok(None) => "its answer ended early".to_owned(),
                Err(error) => client::why(error),
            };
            self.broken += 1;
            if self.broken >= self.bucket.client.attempts_max {
                return Err(S3Error::Away { action: "get", why });
            }
            client::pause(self.broken).await;
        }
        Ok(None)
    }
}
