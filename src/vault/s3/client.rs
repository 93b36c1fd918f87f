//! Signed requests to an S3-compatible store: what is passing is tried again a few times, what is final is told by its code.

use std::time::Duration;

use rand::Rng as _;
use reqwest::{Method, Response, StatusCode, header};
use rusty_s3::{Credentials, S3Action as _, UrlStyle};
use tokio_util::bytes::Bytes;
use url::Url;

use super::{S3Error, S3Options};

/// How long a signed address holds. Each attempt is signed anew.
pub(super) const URL_LIFE: Duration = Duration::from_secs(900);
/// The most that is read of an answer that is not a file.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The longest code of an error that is shown.
const CODE_CHARS_MAX: usize = 64;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);
/// The first pause before another attempt; it doubles up to the ceiling, and half of it is drawn.
const PAUSE_MS: u64 = 200;
const PAUSE_CEILING_MS: u64 = 5_000;

/// Signs and sends.
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) bucket: rusty_s3::Bucket,
    credentials: Credentials,
    timeout: Duration,
    pub(super) attempts_max: u32,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

/// An upload in parts that was begun.
pub(super) struct Begun {
    pub(super) key: String,
    pub(super) id: String,
    pub(super) initiated: String,
}

/// A page of such uploads.
pub(super) struct Uploads {
    pub(super) uploads: Vec<Begun>,
    /// The key and the id after which the next page begins.
    pub(super) next: Option<(String, String)>,
}

impl Client {
    pub(super) fn new(options: S3Options) -> Result<Self, S3Error> {
        let setup = |why: &dyn std::fmt::Debug| S3Error::Setup(format!("{why:?}"));
        let http = crate::client::builder(&options.extra_roots_pem)
            .map_err(|e| S3Error::Setup(e.to_string()))?
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(options.timeout)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|e| setup(&e))?;
        let style = if options.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = rusty_s3::Bucket::new(options.endpoint, style, options.bucket, options.region);
        Ok(Self {
            http,
            bucket: bucket.map_err(|e| setup(&e))?,
            credentials: options.credentials,
            timeout: options.timeout,
            attempts_max: options.attempts_max,
        })
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        Some(&self.credentials)
    }

    /// Sends until there is a final answer; a good one is given back.
    pub(super) async fn send(
        &self,
        action: &'static str,
        method: Method,
        sign: impl Fn() -> Url,
        body: Bytes,
    ) -> Result<Response, S3Error> {
        let once = || {
            let request = self.http.request(method.clone(), sign()).timeout(self.timeout);
            if matches!(method, Method::PUT | Method::POST) {
                request.header(header::CONTENT_LENGTH, body.len()).body(body.clone())
            } else {
                request
            }
        };
        self.repeat(action, once).await
    }

    /// Asks for an object from a byte on; its bytes may take as long as they come.
    pub(super) async fn get(&self, sign: impl Fn() -> Url, from: u64) -> Result<Response, S3Error> {
        let once = || {
            let request = self.http.get(sign());
            if from > 0 { request.header(header::RANGE, format!("bytes={from}-")) } else { request }
        };
        let answer = self.repeat("get", once).await?;
        let expected = if from > 0 { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        if answer.status() == expected { Ok(answer) } else { Err(S3Error::Unreadable { action: "get" }) }
    }

    async fn repeat(
        &self,
        action: &'static str,
        once: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<Response, S3Error> {
        let mut attempt = 1;
        loop {
            let why = match once().send().await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => {
                    let status = answer.status();
                    let code = code(&self.text(action, answer).await.unwrap_or_default());
                    if !is_passing(status) {
                        return Err(S3Error::Refused { action, status: status.as_u16(), code });
                    }
                    format!("{} {code}", status.as_u16())
                }
                Err(error) => why(error),
            };
            if attempt >= self.attempts_max {
                return Err(S3Error::Away { action, why });
            }
            tracing::debug!(action, attempt, why, "the store of attachments is asked again");
            pause(attempt).await;
            attempt += 1;
        }
    }

    /// An answer that is not a file.
    pub(super) async fn text(&self, action: &'static str, mut answer: Response) -> Result<String, S3Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| S3Error::Away { action, why: why(error) })? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(S3Error::Unreadable { action });
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|_| S3Error::Unreadable { action })
    }

    /// Uploads in parts that are neither completed nor ended.
    pub(super) async fn uploads(&self, prefix: &str, after: Option<(String, String)>) -> Result<Uploads, S3Error> {
        const ACTION: &str = "list uploads";
        // What the library has no request for is asked of the bucket itself.
        let mut list = self.bucket.get_object(self.credentials(), "");
        list.query_mut().insert("uploads", "");
        list.query_mut().insert("prefix", prefix.to_owned());
        if let Some((key, id)) = after {
            list.query_mut().insert("key-marker", key);
            list.query_mut().insert("upload-id-marker", id);
        }
        let answer = self.send(ACTION, Method::GET, || list.sign(URL_LIFE), Bytes::new()).await?;
        let text = self.text(ACTION, answer).await?;
        read_uploads(&text).ok_or(S3Error::Unreadable { action: ACTION })
    }

    /// Ends an upload in parts; one that is not there is fine.
    pub(super) async fn abort(&self, key: &str, id: &str) -> Result<(), S3Error> {
        let action = self.bucket.abort_multipart_upload(self.credentials(), key, id);
        match self.send("abort upload", Method::DELETE, || action.sign(URL_LIFE), Bytes::new()).await {
            Err(error) if !error.is_not_found() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Whether the same request may be answered otherwise a moment later.
fn is_passing(status: StatusCode) -> bool {
    let is_unknown = status == StatusCode::NOT_IMPLEMENTED;
    status.is_server_error() && !is_unknown
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// Waits before another attempt.
pub(super) async fn pause(attempt: u32) {
    let most = PAUSE_MS.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(PAUSE_CEILING_MS);
    let drawn = rand::rng().random_range(most / 2..=most);
    tokio::time::sleep(Duration::from_millis(drawn)).await;
}

/// A failure in words, without the address: it is signed.
pub(super) fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let (mut text, mut source) = (error.to_string(), std::error::Error::source(&error));
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}

/// The code in an error's answer: a word, whatever the store writes.
fn code(answer: &str) -> String {
    let found = roxmltree::Document::parse(answer).ok().and_then(|document| {
        let code = document.descendants().find(|node| node.has_tag_name("Code"))?;
        Some(code.text()?.chars().filter(char::is_ascii_alphanumeric).take(CODE_CHARS_MAX).collect())
    });
    found.unwrap_or_default()
}

fn read_uploads(answer: &str) -> Option<Uploads> {
    let document = roxmltree::Document::parse(answer).ok()?;
    let root = document.root_element();
    let text = |node: roxmltree::Node<'_, '_>, name: &str| -> Option<String> {
        let found = node.children().find(|child| child.tag_name().name() == name)?;
        Some(found.text().unwrap_or_default().to_owned())
    };
    if root.tag_name().name() != "ListMultipartUploadsResult" {
        return None;
    }
    let listed = root.children().filter(|child| child.tag_name().name() == "Upload");
    let uploads = listed.map(|one| {
        Some(Begun { key: text(one, "Key")?, id: text(one, "UploadId")?, initiated: text(one, "Initiated")? })
    });
    let uploads = uploads.collect::<Option<_>>()?;
    let cut = text(root, "IsTruncated").is_some_and(|cut| cut == "true");
    let next = || Some((text(root, "NextKeyMarker")?, text(root, "NextUploadIdMarker")?));
    Some(Uploads { uploads, next: if cut { next() } else { None } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_by_its_code_only() {
        let answer = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>of acme</Message></Error>";
        assert_eq!(code(answer), "NoSuchBucket");
        assert_eq!(code("<Error><Code>a b\n<i/></Code></Error>"), "ab");
        for none in ["", "<html>", "<!DOCTYPE a [<!ENTITY b \"c\">]><Error><Code>&b;</Code></Error>"] {
            assert_eq!(code(none), "");
        }
    }

    #[test]
    fn uploads_are_read_page_by_page() {
        let one =
            "<Upload><Key>a/b</Key><UploadId>1</UploadId><Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>";
        let page = |inside: &str| {
            format!(
                "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inside}\
                 </ListMultipartUploadsResult>"
            )
        };
        let read = read_uploads(&page(one)).unwrap();
        assert_eq!((read.uploads[0].key.as_str(), read.uploads[0].id.as_str(), read.next), ("a/b", "1", None));
        let more =
            "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>";
        assert_eq!(read_uploads(&page(more)).unwrap().next, Some(("a".to_owned(), "1".to_owned())));
        for broken in ["", "<Other/>", &page("<Upload><Key>a</Key></Upload>")] {
            assert!(read_uploads(broken).is_none(), "{broken}");
        }
    }
}
