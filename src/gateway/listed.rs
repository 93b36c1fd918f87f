//! What can be said of a message's attachments when it is judged. Pure but for [`Lookup`].

use crate::domain::{Attachment, Fault, FaultCode, Header, Participant};

use super::judge::{Bench, Lookup};

/// Files that are listed and not carried may come later; what can be said of them now is said now. `parties` are the sender and those whom
/// the message is for.
pub(super) fn check_attachments(
    header: &Header,
    parties: &[&Participant],
    bench: &Bench<'_>,
    lookup: &dyn Lookup,
) -> Result<(), Fault> {
    let bare = parties.iter().find(|party| party.framing.plain().is_some());
    if let (Some(party), false) = (bare, header.attachments.is_empty()) {
        let detail = format!("Header/Attachments: `{}` takes part without envelopes and can have no files", party.id);
        return Err(Fault::new(FaultCode::AttachmentInvalid, detail));
    }
    for (index, attachment) in header.attachments.iter().enumerate() {
        let why = match wrong_kind(attachment, parties, bench) {
            Some(why) => Some(why),
            None if attachment.inline.is_some() => None,
            None => wrong_size(attachment, header, bench, lookup)?,
        };
        if let Some(why) = why {
            let detail = format!("Header/Attachments, number {}: {why}", index + 1);
            return Err(Fault::new(FaultCode::AttachmentInvalid, detail));
        }
    }
    Ok(())
}

fn wrong_kind(attachment: &Attachment, parties: &[&Participant], bench: &Bench<'_>) -> Option<String> {
    let kind = attachment.media_type.split(';').next().unwrap_or_default().trim_ascii();
    parties.iter().find_map(|party| {
        let allowed = party.media_types.as_ref().unwrap_or(&bench.attachments.media_types);
        let is_allowed = allowed.iter().any(|one| one.eq_ignore_ascii_case(kind));
        let said = || format!("MediaType is not among those of participant `{}`: {}", party.id, allowed.join(", "));
        (!is_allowed).then(said)
    })
}

fn wrong_size(
    attachment: &Attachment,
    header: &Header,
    bench: &Bench<'_>,
    lookup: &dyn Lookup,
) -> Result<Option<String>, Fault> {
    let bytes_max = bench.attachments.bytes_max;
    if attachment.size_bytes > bytes_max {
        return Ok(Some(format!("SizeBytes: an attachment has at most {bytes_max} bytes")));
    }
    let twice =
        header.attachments.iter().any(|a| a.digest == attachment.digest && a.size_bytes != attachment.size_bytes);
    let uploaded = lookup.uploaded(&header.sender, attachment.digest)?;
    let other = twice || uploaded.is_some_and(|size| size != attachment.size_bytes);
    Ok(other.then(|| "SizeBytes: the file with this digest has another size".to_owned()))
}
