//! A small store that speaks S3: it checks every signature (Signature Version 4 in the address, by a calculation of its own), keeps objects
//! and uploads in parts as files, and can be away, fail and cut.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use mezhved::crypto::{Sha256, hmac_sha256, sha256};
use mezhved::domain::Timestamp;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;

use crate::world::{RUNTIME, now};

pub(super) const BUCKET: &str = "files";
pub(super) const ACCESS_KEY: &str = "KEY1";
pub(super) const SECRET_KEY: &str = "a secret/of+the store";
pub(super) const REGION: &str = "ru-test-1";
/// What S3 asks of every part but the last.
const PART_BYTES_MIN: u64 = 5 << 20;

/// The store.
pub(super) struct S3Server {
    address: SocketAddr,
    inner: Arc<Inner>,
    task: Option<tokio::task::JoinHandle<()>>,
}

struct Inner {
    folder: tempfile::TempDir,
    state: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    files: u64,
    away: bool,
    /// So many parts more are answered with 500.
    failing_parts: u32,
    /// So many downloads more break after a few bytes.
    breaking_reads: u32,
    /// The answer of so many completions more is lost, although they are done.
    lost_completions: u32,
    refused_signatures: u32,
}

#[derive(Clone)]
struct Object {
    parts: Vec<(PathBuf, u64)>,
    modified: Timestamp,
}

struct Upload {
    key: String,
    initiated: Timestamp,
    parts: BTreeMap<u32, (String, PathBuf, u64)>,
}

impl S3Server {
    /// An address where nobody listens yet.
    pub(super) fn asleep() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let inner = Inner { folder: tempfile::tempdir().unwrap(), state: Mutex::default() };
        Self { address, inner: Arc::new(inner), task: None }
    }

    pub(super) fn start() -> Self {
        let mut server = Self::asleep();
        server.wake();
        server
    }

    /// Begins to listen.
    pub(super) fn wake(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let router = axum::Router::new().fallback(answer).with_state(self.inner.clone());
        self.task = Some(RUNTIME.spawn(async move {
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
        }));
    }

    /// The lines of `settings.toml` for it.
    pub(super) fn settings(&self) -> String {
        format!(
            "attachments.s3.endpoint = \"http://{}\"\nattachments.s3.bucket = \"{BUCKET}\"\nattachments.s3.region = \"{REGION}\"\n\
             attachments.s3.access_key = \"{ACCESS_KEY}\"\nattachments.s3.secret_key = \"{SECRET_KEY}\"\n\
             attachments.s3.part_bytes = 5242880\nattachments.s3.timeout_ms = 20000",
            self.address
        )
    }

    fn with<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        look(&mut self.inner.state.lock().unwrap())
    }

    /// The keys of all objects.
    pub(super) fn keys(&self) -> Vec<String> {
        self.with(|kept| kept.objects.keys().cloned().collect())
    }

    /// How many uploads in parts are neither completed nor ended.
    pub(super) fn unfinished(&self) -> usize {
        self.with(|kept| kept.uploads.len())
    }

    pub(super) fn set_away(&self, away: bool) {
        self.with(|kept| kept.away = away);
    }

    pub(super) fn fail_parts(&self, count: u32) {
        self.with(|kept| kept.failing_parts = count);
    }

    pub(super) fn break_reads(&self, count: u32) {
        self.with(|kept| kept.breaking_reads = count);
    }

    pub(super) fn lose_completions(&self, count: u32) {
        self.with(|kept| kept.lost_completions = count);
    }

    /// How many failures are still to come.
    pub(super) fn to_come(&self) -> u32 {
        self.with(|kept| kept.failing_parts + kept.breaking_reads + kept.lost_completions)
    }

    pub(super) fn refused_signatures(&self) -> u32 {
        self.with(|kept| kept.refused_signatures)
    }

    /// Puts an object there as somebody else would.
    pub(super) fn put(&self, key: &str) {
        let object = Object { parts: Vec::new(), modified: now() };
        self.with(|kept| kept.objects.insert(key.to_owned(), object));
    }

    /// As if so many seconds had passed.
    pub(super) fn age(&self, seconds: i64) {
        self.with(|kept| {
            kept.objects.values_mut().for_each(|one| one.modified = one.modified.plus_seconds(-seconds));
            kept.uploads.values_mut().for_each(|one| one.initiated = one.initiated.plus_seconds(-seconds));
        });
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>of {BUCKET}</Message></Error>"))
        .into_response()
}

fn xml(text: String) -> Response {
    text.into_response()
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(head.uri.query().unwrap_or("").as_bytes()).into_owned().collect();
    if inner.state.lock().unwrap().away {
        return error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
    }
    let host = head.headers[header::HOST].to_str().unwrap();
    if let Err(code) = signed(head.method.as_str(), head.uri.path(), &query, host, now()) {
        inner.state.lock().unwrap().refused_signatures += 1;
        return error(StatusCode::FORBIDDEN, code);
    }
    let Some(key) = head.uri.path().strip_prefix(&format!("/{BUCKET}/")).map(str::to_owned) else {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    let asked = |name: &str| query.get(name).cloned();
    match (head.method.clone(), asked("uploadId")) {
        (Method::GET, None) if key.is_empty() && query.contains_key("uploads") => list_uploads(&inner, &query),
        (Method::GET, None) if key.is_empty() => list(&inner, &query),
        (Method::GET | Method::HEAD, None) => read(&inner, &key, &head.headers).await,
        (Method::PUT, Some(id)) => put_part(&inner, &id, asked("partNumber").unwrap().parse().unwrap(), body).await,
        (Method::PUT, None) => match receive(&inner, body).await {
            Some((_, file, size)) => {
                let object = Object { parts: vec![(file, size)], modified: now() };
                inner.state.lock().unwrap().objects.insert(key, object);
                StatusCode::OK.into_response()
            }
            None => error(StatusCode::BAD_REQUEST, "IncompleteBody"),
        },
        (Method::POST, None) => begin(&inner, key),
        (Method::POST, Some(id)) => complete(&inner, &id, &axum::body::to_bytes(body, 1 << 22).await.unwrap()),
        (Method::DELETE, Some(id)) => match inner.state.lock().unwrap().uploads.remove(&id) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => error(StatusCode::NOT_FOUND, "NoSuchUpload"),
        },
        (Method::DELETE, None) => {
            inner.state.lock().unwrap().objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

/// Takes a body into a file: its tag, the file, its size. `None`: it was cut.
async fn receive(inner: &Inner, body: Body) -> Option<(String, PathBuf, u64)> {
    let number = {
        let mut kept = inner.state.lock().unwrap();
        kept.files += 1;
        kept.files
    };
    let path = inner.folder.path().join(number.to_string());
    let mut file = tokio::fs::File::create(&path).await.unwrap();
    let (mut hash, mut size, mut chunks) = (Sha256::new(), 0, body.into_data_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        hash.update(&chunk);
        size += chunk.len() as u64;
        file.write_all(&chunk).await.unwrap();
    }
    file.flush().await.unwrap();
    Some((format!("\"{}\"", hash.finish()), path, size))
}

fn begin(inner: &Inner, key: String) -> Response {
    let mut kept = inner.state.lock().unwrap();
    kept.files += 1;
    let id = format!("upload/{}+", kept.files);
    kept.uploads.insert(id.clone(), Upload { key: key.clone(), initiated: now(), parts: BTreeMap::new() });
    xml(format!(
        "<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Bucket>{BUCKET}</Bucket><Key>{key}</Key>\
         <UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
    ))
}

async fn put_part(inner: &Inner, id: &str, number: u32, body: Body) -> Response {
    let Some((tag, file, size)) = receive(inner, body).await else {
        return error(StatusCode::BAD_REQUEST, "IncompleteBody");
    };
    let mut kept = inner.state.lock().unwrap();
    if kept.failing_parts > 0 {
        kept.failing_parts -= 1;
        return error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    }
    let Some(upload) = kept.uploads.get_mut(id) else { return error(StatusCode::NOT_FOUND, "NoSuchUpload") };
    upload.parts.insert(number, (tag.clone(), file, size));
    [(header::ETAG, tag)].into_response()
}

fn complete(inner: &Inner, id: &str, body: &[u8]) -> Response {
    let text = std::str::from_utf8(body).unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    let values =
        |name: &'static str| document.descendants().filter(move |n| n.has_tag_name(name)).filter_map(|n| n.text());
    let told: Vec<(u32, String)> =
        values("PartNumber").map(|n| n.parse().unwrap()).zip(values("ETag").map(str::to_owned)).collect();
    let mut kept = inner.state.lock().unwrap();
    let Some(upload) = kept.uploads.get(id) else { return error(StatusCode::NOT_FOUND, "NoSuchUpload") };
    let here: Vec<(u32, String)> = upload.parts.iter().map(|(number, part)| (*number, part.0.clone())).collect();
    if told != here || told.is_empty() {
        return error(StatusCode::BAD_REQUEST, "InvalidPart");
    }
    let parts: Vec<_> = upload.parts.values().map(|(_, file, size)| (file.clone(), *size)).collect();
    if parts[..parts.len() - 1].iter().any(|(_, size)| *size < PART_BYTES_MIN) {
        return error(StatusCode::BAD_REQUEST, "EntityTooSmall");
    }
    let key = upload.key.clone();
    kept.uploads.remove(id);
    kept.objects.insert(key, Object { parts, modified: now() });
    if kept.lost_completions > 0 {
        kept.lost_completions -= 1;
        return error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
    }
    xml("<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ETag>\"done\"</ETag>\
         </CompleteMultipartUploadResult>"
        .to_owned())
}

async fn read(inner: &Inner, key: &str, headers: &HeaderMap) -> Response {
    let (object, breaks) = {
        let mut kept = inner.state.lock().unwrap();
        let Some(object) = kept.objects.get(key).cloned() else { return error(StatusCode::NOT_FOUND, "NoSuchKey") };
        let breaks = kept.breaking_reads > 0;
        kept.breaking_reads = kept.breaking_reads.saturating_sub(1);
        (object, breaks)
    };
    let size: u64 = object.parts.iter().map(|(_, size)| size).sum();
    let range = headers.get(header::RANGE).map(|range| {
        range.to_str().unwrap().strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse::<u64>().unwrap()
    });
    let mut skip = range.unwrap_or(0);
    let mut bytes: Pin<Box<dyn AsyncRead + Send>> = Box::pin(tokio::io::empty());
    for (path, size) in &object.parts {
        if skip >= *size {
            skip -= size;
            continue;
        }
        let mut file = tokio::fs::File::open(path).await.unwrap();
        file.seek(std::io::SeekFrom::Start(skip)).await.unwrap();
        skip = 0;
        bytes = Box::pin(bytes.chain(file));
    }
    let rest = size - range.unwrap_or(0);
    // The length stays what it was: the reader sees that the connection broke.
    let sent = if breaks { rest / 3 } else { rest };
    let body = Body::from_stream(ReaderStream::with_capacity(bytes.take(sent), 1 << 16));
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    (status, [(header::CONTENT_LENGTH, rest.to_string())], body).into_response()
}

fn iso(at: Timestamp) -> String {
    at.to_string()
}

/// A page holds two of them.
fn list(inner: &Inner, query: &BTreeMap<String, String>) -> Response {
    let kept = inner.state.lock().unwrap();
    let after = query.get("continuation-token").cloned().unwrap_or_default();
    let listed: Vec<_> =
        kept.objects.iter().filter(|(key, _)| key.starts_with(&query["prefix"]) && **key > after).take(3).collect();
    let mut text =
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
            .to_owned();
    for (key, object) in listed.iter().take(2) {
        let key = url::form_urlencoded::byte_serialize(key.as_bytes()).collect::<String>();
        let size: u64 = object.parts.iter().map(|(_, size)| size).sum();
        let modified = iso(object.modified);
        write!(text, "<Contents><Key>{key}</Key><LastModified>{modified}</LastModified><Size>{size}</Size></Contents>")
            .unwrap();
    }
    if listed.len() > 2 {
        write!(text, "<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>", listed[1].0)
            .unwrap();
    }
    xml(text + "</ListBucketResult>")
}

/// A page holds one of them.
fn list_uploads(inner: &Inner, query: &BTreeMap<String, String>) -> Response {
    let kept = inner.state.lock().unwrap();
    let marker = query.get("key-marker").cloned().unwrap_or_default();
    let after = (marker, query.get("upload-id-marker").cloned().unwrap_or_default());
    let mut listed: Vec<_> =
        kept.uploads.iter().map(|(id, upload)| ((upload.key.clone(), id.clone()), upload)).collect();
    listed.retain(|(at, upload)| upload.key.starts_with(&query["prefix"]) && *at > after);
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    let mut text = "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
    if listed.len() > 1 {
        let (key, id) = &listed[0].0;
        write!(
            text,
            "<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker><NextUploadIdMarker>{id}</NextUploadIdMarker>"
        )
        .unwrap();
    }
    if let Some(((key, id), upload)) = listed.first() {
        let begun = iso(upload.initiated);
        write!(text, "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiated>{begun}</Initiated></Upload>")
            .unwrap();
    }
    xml(text + "</ListMultipartUploadsResult>")
}

/// As RFC 3986 has it, with `/` kept where it parts a path.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte as char);
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
        out
    })
}

/// The signature of a request that says all in its address and signs its host.
fn signature(method: &str, path: &str, query: &BTreeMap<String, String>, host: &str, secret: &str) -> String {
    let mut pairs: Vec<_> = query
        .iter()
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let canonical = format!("{method}\n{path}\n{}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", pairs.join("&"));
    let scope = query["X-Amz-Credential"].split_once('/').unwrap().1;
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", query["X-Amz-Date"], sha256(canonical.as_bytes()));
    let key = scope
        .split('/')
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac_sha256(&key, part.as_bytes()).unwrap());
    hex::encode(hmac_sha256(&key, to_sign.as_bytes()).unwrap())
}

/// Whether a request is signed with the store's key, for its region, and not too long ago.
fn signed(
    method: &str,
    path: &str,
    query: &BTreeMap<String, String>,
    host: &str,
    now: Timestamp,
) -> Result<(), &'static str> {
    let word = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let date = word("X-Amz-Date");
    let begins = chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ")
        .map_err(|_| "AuthorizationQueryParametersError")?;
    let begins = Timestamp::from_micros(begins.and_utc().timestamp_micros());
    let life: i64 = word("X-Amz-Expires").parse().map_err(|_| "AuthorizationQueryParametersError")?;
    let credential = format!("{ACCESS_KEY}/{}/{REGION}/s3/aws4_request", &date[..8]);
    if word("X-Amz-Credential") != credential || word("X-Amz-SignedHeaders") != "host" {
        return Err("InvalidAccessKeyId");
    }
    if now < begins.plus_seconds(-900) || now > begins.plus_seconds(life) {
        return Err("RequestTimeTooSkewed");
    }
    if signature(method, path, query, host, SECRET_KEY) == word("X-Amz-Signature") {
        Ok(())
    } else {
        Err("SignatureDoesNotMatch")
    }
}

/// The example of the S3 manual, "Authenticating Requests: Using Query Parameters".
#[test]
fn the_store_calculates_signatures_as_the_manual_does() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
                 &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host";
    let query: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let signed = signature("GET", "/test.txt", &query, "examplebucket.s3.amazonaws.com", secret);
    assert_eq!(signed, "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}
