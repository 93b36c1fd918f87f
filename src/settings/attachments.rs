//! The checks of `[attachments]`.

use super::tree::Settings;

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
    let types = own.media_types.iter().all(|one| is_media_type(one));
    need(types, "media_types", "types without parameters, such as application/pdf");
    wrong
}
