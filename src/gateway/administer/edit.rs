//! One participant as a form: read, write, add, take out.

use super::{Change, EditError, Editor, Note, Refused, Saved, form_of};
use crate::bundle::Files;
use crate::domain::ParticipantId;
use crate::settings::participants::{Field, FieldProblem, Form};

/// A participant as it is in force, to be looked at or changed.
#[derive(Debug, Clone)]
pub struct Card {
    /// The participants' revision that this was read from: what a change is based on.
    pub revision: i64,
    /// Its fields.
    pub form: Form,
    /// Its file.
    pub path: String,
    /// The file's text.
    pub text: String,
}

/// A change of one participant.
#[derive(Debug, Clone)]
pub struct Editing<'a> {
    /// The participant; `None`: a new one.
    pub participant: Option<&'a str>,
    /// The revision that the form was read from; `None`: the latest.
    pub based_on: Option<i64>,
    /// What was typed.
    pub form: &'a Form,
    /// For a new participant: its certificate's file, if there is one. It is checked as an upload is.
    pub certificate: Option<&'a [u8]>,
}

impl Editor<'_> {
    /// A participant as it is in force.
    ///
    /// # Errors
    /// [`EditError::NoSuch`], or the database is away.
    pub async fn card(&self, participant: &str) -> Result<Card, EditError> {
        let now = self.in_force().await?;
        let path = path_of(&now.people, participant).ok_or_else(|| EditError::NoSuch(participant.to_owned()))?;
        let text = now.people.get(&path).map_or(&[][..], Vec::as_slice);
        let form = form_of(text)?;
        let text = String::from_utf8_lossy(text).into_owned();
        Ok(Card { revision: now.revisions.participants, form, path, text })
    }

    /// Writes a participant's form as a new revision. One place for the command line and for pages.
    ///
    /// # Errors
    /// [`EditError::Refused`] with the problems by field; [`EditError::Conflict`] when somebody changed the same participant since
    /// `based_on`; [`EditError::Unchanged`]; or the database is away.
    pub async fn edit_participant(&self, editing: &Editing<'_>, note: &Note<'_>) -> Result<Saved, EditError> {
        let id = editing.form.get(Field::Id).trim();
        let make = |files: &Files| match editing.participant {
            Some(participant) => changed(files, participant, editing.form),
            None => self.added(files, editing),
        };
        let participant = Some(editing.participant.unwrap_or(id));
        self.save(&Change { participant, based_on: editing.based_on, make: &make }, note).await
    }

    /// Takes a participant out, with the certificates that nobody else's file names.
    ///
    /// # Errors
    /// As [`Editor::edit_participant`].
    pub async fn remove_participant(
        &self,
        participant: &str,
        based_on: Option<i64>,
        note: &Note<'_>,
    ) -> Result<Saved, EditError> {
        let make = |files: &Files| {
            let path = path_of(files, participant).ok_or_else(|| EditError::NoSuch(participant.to_owned()))?;
            let mut new = files.clone();
            new.remove(&path);
            drop_strays(files, &mut new);
            Ok(new)
        };
        self.save(&Change { participant: Some(participant), based_on, make: &make }, note).await
    }

    fn added(&self, files: &Files, editing: &Editing<'_>) -> Result<Files, EditError> {
        let text = editing.form.get(Field::Id).trim();
        let id = ParticipantId::parse(text).map_err(|error| {
            let ru = format!(
                "недопустимое значение `{}`: строчные латинские буквы, цифры и дефис, до 40 знаков",
                error.value
            );
            at(Field::Id, ru, error.to_string())
        })?;
        if path_of(files, id.as_str()).is_some() {
            return Err(EditError::Taken(id));
        }
        let mut written =
            editing.form.write("").map_err(|fields| EditError::Refused(Refused { fields, others: Vec::new() }))?;
        let mut new = files.clone();
        if let Some(bytes) = editing.certificate {
            let (certificate, path) = self.checked(files, id.as_str(), bytes)?;
            written = super::certificates::with_entry(&written, &path)?;
            new.insert(path, certificate);
        }
        new.insert(format!("participants/{id}.toml"), written.into_bytes());
        Ok(new)
    }
}

fn at(field: Field, ru: String, en: String) -> EditError {
    EditError::Refused(Refused { fields: vec![FieldProblem { field: Some(field), ru, en }], others: Vec::new() })
}

fn changed(files: &Files, participant: &str, form: &Form) -> Result<Files, EditError> {
    let path = path_of(files, participant).ok_or_else(|| EditError::NoSuch(participant.to_owned()))?;
    if form.get(Field::Id).trim() != participant {
        let ru = "id не меняется: под ним хранятся сообщения; добавьте другого участника".to_owned();
        let en = "an id never changes, messages are kept under it; add another participant".to_owned();
        return Err(at(Field::Id, ru, en));
    }
    let old = files.get(&path).map_or(&[][..], Vec::as_slice);
    let old = String::from_utf8_lossy(old);
    let text = form.write(&old).map_err(|fields| EditError::Refused(Refused { fields, others: Vec::new() }))?;
    let mut new = files.clone();
    new.insert(path, text.into_bytes());
    Ok(new)
}

/// The file of a participant: usually named after it, but it is the id inside that counts.
pub(super) fn path_of(files: &Files, participant: &str) -> Option<String> {
    let usual = format!("participants/{participant}.toml");
    let is_own = |path: &String| files.get(path).is_some_and(|bytes| id_of(bytes).as_deref() == Some(participant));
    if is_own(&usual) {
        return Some(usual);
    }
    files.keys().find(|path| path.starts_with("participants/") && path.ends_with(".toml") && is_own(path)).cloned()
}

/// The id that a file says.
pub(super) fn id_of(bytes: &[u8]) -> Option<String> {
    let form = form_of(bytes).ok()?;
    Some(form.get(Field::Id).to_owned()).filter(|id| !id.is_empty())
}

/// The files of certificates that a participant's file names.
pub(super) fn named_certificates(text: &[u8]) -> Vec<String> {
    let table: Option<toml::Table> = std::str::from_utf8(text).ok().and_then(|text| toml::from_str(text).ok());
    let entries = table.as_ref().and_then(|table| table.get("certificate")).and_then(toml::Value::as_array);
    let file = |entry: &toml::Value| Some(format!("participants/{}", entry.get("file")?.as_str()?));
    entries.into_iter().flatten().filter_map(file).collect()
}

/// A participant's file with the certificates that it names.
pub(super) fn own_files(files: &Files, participant: &str) -> Files {
    let Some(path) = path_of(files, participant) else { return Files::new() };
    let named = files.get(&path).map(|text| named_certificates(text)).unwrap_or_default();
    let kept = std::iter::once(path).chain(named);
    kept.filter_map(|path| files.get(&path).map(|bytes| (path, bytes.clone()))).collect()
}

/// Takes the certificates out that a file named before and none does now.
pub(super) fn drop_strays(before: &Files, after: &mut Files) {
    let named = |files: &Files| -> std::collections::BTreeSet<String> {
        let texts = files.iter().filter(|(path, _)| path.ends_with(".toml"));
        texts.flat_map(|(_, text)| named_certificates(text)).collect()
    };
    let (old, new) = (named(before), named(after));
    after.retain(|path, _| new.contains(path) || !old.contains(path));
}
