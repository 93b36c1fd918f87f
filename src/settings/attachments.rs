//! The checks of `[attachments]`, and the bucket of `[attachments.s3]`.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::notify::{self, Secret};
use super::tree::{Attachments, Settings};

/// The most parts that a store takes of one file.
const PARTS_MAX: u64 = 10_000;
/// The smallest and the largest part: what S3 takes, and what may be in memory.
const PART_BYTES: std::ops::RangeInclusive<u64> = 5 << 20..=64 << 20;

/// A bucket of an S3-compatible store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// The store's address; empty: files lie in the folder.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Before every key.
    pub prefix: String,
    /// Whether the bucket's name is in the path and not in the host's name.
    pub path_style: bool,
    /// The id of the key that signs requests.
    pub access_key: String,
    /// The key.
    pub secret_key: Secret,
    /// A file with the key, instead.
    pub secret_key_file: PathBuf,
    /// More trusted authorities, PEM file; empty: none.
    pub ca_file: PathBuf,
    /// Allows plain HTTP to an address that is not loopback.
    pub insecure: bool,
    /// Bytes of a part of a large file.
    pub part_bytes: u64,
    /// Milliseconds for one call, and for the next byte of an answer.
    pub timeout_ms: u64,
    /// Attempts of one call.
    pub attempts_max: u32,
}

impl S3 {
    /// Whether files lie in a bucket.
    pub fn is_on(&self) -> bool {
        !self.endpoint.is_empty()
    }

    /// The address, if it is one that bytes may be sent to.
    fn is_reachable(&self) -> bool {
        let has_query = Url::parse(&self.endpoint).is_ok_and(|url| url.query().is_some());
        !has_query && notify::is_open_address(&self.endpoint, self.insecure)
    }
}

/// What is wrong with the bucket, by key.
fn bucket_checks(own: &Attachments, need: &mut impl FnMut(bool, &str, &str)) {
    let s3 = &own.s3;
    if !s3.is_on() {
        let unused = "empty, or s3.endpoint = \"https://host:port\" with it";
        need(s3.bucket.is_empty(), "s3.bucket", unused);
        need(s3.access_key.is_empty(), "s3.access_key", unused);
        return;
    }
    let reachable = "https://host:port; http:// to a loopback address, or with insecure = true; no account in it";
    need(s3.is_reachable(), "s3.endpoint", reachable);
    let word = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    let bucket = (3..=63).contains(&s3.bucket.len()) && word(&s3.bucket, b"-._");
    need(bucket, "s3.bucket", "the name of a bucket: 3 to 63 letters, digits, dots and hyphens");
    need(word(&s3.region, b"-_"), "s3.region", "a region such as us-east-1 or ru-central1");
    let prefix =
        s3.prefix.is_empty() || word(&s3.prefix, b"-_./") && s3.prefix.ends_with('/') && !s3.prefix.starts_with('/');
    need(prefix && s3.prefix.len() <= 256, "s3.prefix", "empty, or a path that ends with /, such as mezhved/");
    need(word(&s3.access_key, b"-_./+="), "s3.access_key", "the id of a key of the store");
    let one = s3.secret_key.reveal().is_empty() != s3.secret_key_file.as_os_str().is_empty();
    need(
        one,
        "s3.secret_key",
        "one of secret_key (better as MEZHVED__ATTACHMENTS__S3__SECRET_KEY) and secret_key_file",
    );
    need(PART_BYTES.contains(&s3.part_bytes), "s3.part_bytes", "5242880 to 67108864");
    let parts = own.bytes_max.div_ceil(PARTS_MAX) <= s3.part_bytes;
    need(parts, "s3.part_bytes", "at least a ten-thousandth of bytes_max");
    need((100..=600_000).contains(&s3.timeout_ms), "s3.timeout_ms", "100 to 600000");
    need((1..=20).contains(&s3.attempts_max), "s3.attempts_max", "1 to 20");
}

/// The largest file that can be allowed: 1 TiB.
const BYTES_MAX: u64 = 1 << 40;

/// Whether a text is a media type without parameters.
pub(super) fn is_media_type(text: &str) -> bool {
    let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    text.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// What is wrong, by key.
pub(super) fn checks(settings: &Settings) -> Vec<(String, String)> {
    let own = &settings.attachments;
    let mut wrong = Vec::new();
    let mut need = |ok: bool, key: &str, allowed: &str| {
        if !ok {
            wrong.push((format!("attachments.{key}"), format!("допускается / allowed: {allowed}")));
        }
    };
    need(!own.folder.as_os_str().is_empty(), "folder", "a folder; with several nodes one that all of them share");
    need((1..=BYTES_MAX).contains(&own.bytes_max), "bytes_max", "1 to 1099511627776");
    need(own.unlisted_bytes_max >= own.bytes_max, "unlisted_bytes_max", "at least bytes_max");
    need((1..=1024).contains(&own.uploads_max), "uploads_max", "1 to 1024");
    let per = own.uploads_per_participant_max;
    need((1..=own.uploads_max.max(1)).contains(&per), "uploads_per_participant_max", "1 to uploads_max");
    need(own.orphan_hours_max <= 8_760, "orphan_hours_max", "at most 8760");
    need((1..=86_400).contains(&own.sweep_seconds), "sweep_seconds", "1 to 86400");
    need((1..=3_600).contains(&own.idle_seconds_max), "idle_seconds_max", "1 to 3600");
    need((1..=86_400).contains(&own.upload_seconds_max), "upload_seconds_max", "1 to 86400");
    need((1..=3_600).contains(&own.scanner_seconds_max), "scanner_seconds_max", "1 to 3600");
    let scanner = own.scanner.first().is_none_or(|program| !program.is_empty());
    need(scanner, "scanner", "[] or [\"command\", \"argument\"]");
    need(own.grace_hours <= 8_760, "grace_hours", "at most 8760");
    bucket_checks(own, &mut need);
    let types = own.media_types.iter().all(|one| is_media_type(one));
    need(types, "media_types", "types without parameters, such as application/pdf");
    wrong
}
