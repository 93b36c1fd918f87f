//! `mezhved partner show | add | set | remove | certificate | history | undo`: one participant, and the revisions.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{ConfigDir, Failure, table};
use crate::app::open_store;
use crate::crypto::Certificate;
use crate::domain::{Digest, Line};
use crate::gateway::Clock;
use crate::gateway::administer::{
    CertificateState, EditError, Editing, Editor, Ending, FileChange, Listed, Note, Saved, Undo, Upload,
};
use crate::settings::Settings;
use crate::settings::participants::{Field, Form};
use crate::store::{RevisionInfo, RevisionKind, Store};

/// Кто и зачем.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct By {
    /// Зачем, для истории / why, for the history
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    comment: String,
    /// Кто, для истории; без него — пользователь системы / who, for the history; the user of the system when left out
    #[arg(long, env = "USER", hide_env_values = true, default_value = "administrator", value_name = "WHO")]
    author: Line,
    /// Machine-readable
    #[arg(long)]
    json: bool,
}

impl By {
    fn note(&self) -> Note<'_> {
        Note { author: self.author.as_str(), comment: &self.comment }
    }
}

const FIELDS: &str = "\
Поля / fields: id name regulation zone role framing transport.kind transport.url adapter versions in_flight_max notices ordered \
data_classes media_types plain.auth plain.method plain.path plain.paths plain.responses plain.token_sha256 contact
Пустое значение убирает поле; несколько — через `;` / an empty value takes a field out; several are parted by `;`
  role='health: 718, 719; uszn'  versions='programme: 1, 2'  plain.paths='notice: /events'
  contact='Иванова А. А. | дежурный | +7 3467 00-00-00 | it@example.org | пн-пт 9-18'

Пример / example:
  mezhved partner add crm name='CRM' regulation=yugra zone=Asia/Yekaterinburg role=employment transport.kind=http \\
    transport.url=https://crm.example.org/in --certificate crm.crt --comment 'Приказ 12'
  mezhved partner set police in_flight_max=4 --comment 'Их сервер слабее'";

/// What is done with one participant.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Показать участника или редакцию с отличиями от предыдущей / show a participant, or a revision with what it changed
    Show {
        #[command(flatten)]
        dir: ConfigDir,
        /// id участника или номер редакции / a participant's id or a revision's number
        what: String,
        /// Редакция правил, а не участников / a revision of the rules, not of the participants
        #[arg(long)]
        bundle: bool,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Добавить участника новой редакцией / add a participant, as a new revision
    #[command(after_help = FIELDS)]
    Add {
        #[command(flatten)]
        dir: ConfigDir,
        /// Новый id / the new id
        participant: String,
        /// ПОЛЕ=ЗНАЧЕНИЕ / FIELD=VALUE
        #[arg(value_name = "FIELD=VALUE", value_parser = assignment)]
        fields: Vec<(Field, String)>,
        /// Его сертификат, PEM или DER / its certificate, PEM or DER
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        #[command(flatten)]
        by: By,
    },
    /// Изменить поля участника новой редакцией / change fields of a participant, as a new revision
    #[command(after_help = FIELDS)]
    Set {
        #[command(flatten)]
        dir: ConfigDir,
        /// Участник / the participant
        participant: String,
        /// ПОЛЕ=ЗНАЧЕНИЕ / FIELD=VALUE
        #[arg(value_name = "FIELD=VALUE", value_parser = assignment, required = true)]
        fields: Vec<(Field, String)>,
        /// Отказать, если после этой редакции участника меняли / refuse if the participant was changed after this revision
        #[arg(long, value_name = "REV")]
        based_on: Option<i64>,
        #[command(flatten)]
        by: By,
    },
    /// Убрать участника новой редакцией; его сообщения остаются / take a participant out, as a new revision; its messages stay
    Remove {
        #[command(flatten)]
        dir: ConfigDir,
        /// Участник / the participant
        participant: String,
        #[command(flatten)]
        by: By,
    },
    /// Сертификаты участников / participants' certificates
    Certificate {
        #[command(subcommand)]
        command: CertificateCommand,
    },
    /// История: кто, когда, зачем и что менял / the history: who changed what, when and why
    History {
        #[command(flatten)]
        dir: ConfigDir,
        /// Только этого участника / only of this participant
        #[arg(long, value_name = "ID", conflicts_with = "bundle")]
        participant: Option<String>,
        /// Правил, а не участников / of the rules, not of the participants
        #[arg(long)]
        bundle: bool,
        /// Просмотреть не больше последних редакций / look through at most so many revisions
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Вернуть прежнее состояние новой редакцией / bring an older state back, as a new revision
    Undo {
        #[command(flatten)]
        dir: ConfigDir,
        /// Редакция, состояние которой вернуть / the revision whose state is to be again
        revision: i64,
        /// Только этого участника / only of this participant
        #[arg(long, value_name = "ID", conflicts_with = "bundle")]
        participant: Option<String>,
        /// Правила, а не участников / the rules, not the participants
        #[arg(long)]
        bundle: bool,
        /// Зачем / why
        #[arg(long, value_name = "TEXT")]
        comment: String,
        /// Кто, для истории / who, for the history
        #[arg(long, env = "USER", hide_env_values = true, default_value = "administrator", value_name = "WHO")]
        author: Line,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
}

/// What is done with certificates.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CertificateCommand {
    /// Перечислить, со сроками / list, with their terms
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Только этого участника / only of this participant
        participant: Option<String>,
        /// Только те, что кончаются в ближайшие дни или уже кончились / only those that end within so many days, or have ended
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        within: Option<u32>,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Зарегистрировать ещё один сертификат; прежние действуют рядом / register one more; the others stay valid beside it
    Add {
        #[command(flatten)]
        dir: ConfigDir,
        /// Участник / the participant
        participant: String,
        /// Сертификат, PEM или DER / the certificate, PEM or DER
        file: PathBuf,
        #[command(flatten)]
        by: By,
    },
    /// Прекратить действие сертификата сразу / end a certificate at once
    End {
        #[command(flatten)]
        dir: ConfigDir,
        /// Участник / the participant
        participant: String,
        /// SHA-256 сертификата, как в списке / the certificate's SHA-256, as listed
        #[arg(value_parser = thumbprint)]
        thumbprint: Digest,
        #[command(flatten)]
        by: By,
    },
}

fn assignment(text: &str) -> Result<(Field, String), String> {
    let (name, value) = text.split_once('=').ok_or("нужно ПОЛЕ=ЗНАЧЕНИЕ / FIELD=VALUE is needed")?;
    let field = Field::parse(name).ok_or_else(|| {
        let all = Field::all().map(Field::id).collect::<Vec<_>>().join(", ");
        format!("поля `{name}` нет / there is no field `{name}`: {all}")
    })?;
    Ok((field, value.to_owned()))
}

fn thumbprint(text: &str) -> Result<Digest, String> {
    Digest::parse_hex(text).map_err(|_| "64 шестнадцатеричных знака / 64 hexadecimal digits".to_owned())
}

/// Everything a change needs.
struct Office {
    settings: Settings,
    store: Store,
    own: Option<Certificate>,
    clock: Clock,
}

impl Office {
    async fn open(dir: &ConfigDir) -> Result<Self, Failure> {
        let settings = Settings::load(&dir.config)?;
        let store = open_store(&settings).await?;
        let own = std::fs::read(settings.path(&settings.gateway.certificate)).ok();
        let own = own.and_then(|pem| Certificate::from_pem(&pem).ok());
        Ok(Self { settings, store, own, clock: Clock::default() })
    }

    fn editor(&self) -> Editor<'_> {
        Editor::new(&self.store, &self.settings.gateway.id, self.own.as_ref(), &self.clock)
    }
}

pub(crate) async fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Show { dir, what, bundle, json } => {
            show(&Office::open(&dir).await?, &what, kind(bundle), json).await?
        }
        Command::Add { dir, participant, fields, certificate, by } => {
            let office = Office::open(&dir).await?;
            add(&office, participant, fields, certificate, &by).await?;
        }
        Command::Set { dir, participant, fields, based_on, by } => {
            let office = Office::open(&dir).await?;
            let mut form = office.editor().card(&participant).await?.form;
            for (field, value) in fields {
                form.set(field, value);
            }
            let editing = Editing { participant: Some(&participant), based_on, form: &form, certificate: None };
            saved(office.editor().edit_participant(&editing, &by.note()).await, by.json)?;
        }
        Command::Remove { dir, participant, by } => {
            let office = Office::open(&dir).await?;
            saved(office.editor().remove_participant(&participant, None, &by.note()).await, by.json)?;
        }
        Command::Certificate { command } => certificate(command).await?,
        Command::History { dir, participant, bundle, limit, json } => {
            history(&Office::open(&dir).await?, participant.as_deref(), kind(bundle), limit, json).await?;
        }
        Command::Undo { dir, revision, participant, bundle, comment, author, json } => {
            let office = Office::open(&dir).await?;
            let undo = Undo { kind: kind(bundle), revision, participant: participant.as_deref(), based_on: None };
            let note = Note { author: author.as_str(), comment: &comment };
            saved(office.editor().undo(&undo, &note).await, json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn kind(bundle: bool) -> RevisionKind {
    if bundle { RevisionKind::Bundle } else { RevisionKind::Participants }
}

async fn add(
    office: &Office,
    participant: String,
    fields: Vec<(Field, String)>,
    certificate: Option<PathBuf>,
    by: &By,
) -> Result<(), Failure> {
    let mut form = Form::default();
    form.set(Field::Id, participant);
    for (field, value) in fields {
        form.set(field, value);
    }
    let certificate = certificate.map(|path| read(&path)).transpose()?;
    let editing = Editing { participant: None, based_on: None, form: &form, certificate: certificate.as_deref() };
    saved(office.editor().edit_participant(&editing, &by.note()).await, by.json)
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::of(&path.display().to_string(), &e))
}

fn saved(saved: Result<Saved, EditError>, as_json: bool) -> Result<(), Failure> {
    let saved = saved.map_err(|error| Failure::new(error.to_string()))?;
    for warning in &saved.warnings {
        eprintln!("{warning}");
    }
    let number = saved.revision.number;
    if as_json {
        return Ok(say!("{}", json!({ "revision": number, "warnings": saved.warnings }))?);
    }
    Ok(say!("редакция / revision {number}")?)
}

fn info(info: &RevisionInfo) -> Value {
    json!({
        "kind": info.kind.as_str(), "revision": info.number, "at": info.created_at, "author": info.author, "comment": info.comment,
        "digest": info.digest,
    })
}

async fn show(office: &Office, what: &str, kind: RevisionKind, as_json: bool) -> Result<(), Failure> {
    let editor = office.editor();
    if let Ok(number) = what.parse::<i64>() {
        let (about, found) = editor.revision(kind, number).await?;
        if as_json {
            let mut told = info(&about);
            if let Value::Object(fields) = &mut told {
                fields.insert("changes".to_owned(), json!(found));
            }
            return Ok(say!("{told}")?);
        }
        say!("{} {}  {}  {}", about.kind.as_str(), about.number, about.created_at, about.author)?;
        if !about.comment.is_empty() {
            say!("{}", about.comment)?;
        }
        return Ok(print_changes(&found)?);
    }
    let card = editor.card(what).await?;
    let certificates = editor.certificates(Some(what), None).await?;
    if as_json {
        let fields: serde_json::Map<String, Value> =
            Field::all().filter(|f| !card.form.get(*f).is_empty()).map(|f| (f.id(), json!(card.form.get(f)))).collect();
        let told = json!({ "revision": card.revision, "fields": fields, "certificates": certificates });
        return Ok(say!("{told}")?);
    }
    for field in Field::all().filter(|field| !card.form.get(*field).is_empty()) {
        say!("{:<20} {}", field.id(), card.form.get(field).replace('\n', "; "))?;
    }
    if certificates.is_empty() { Ok(()) } else { print_certificates(&certificates) }
}

/// `partner diff FROM TO`.
pub(crate) async fn diff(
    dir: &ConfigDir,
    numbers: (i64, i64),
    (participant, bundle): (Option<&str>, bool),
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let office = Office::open(dir).await?;
    let found = office.editor().difference(kind(bundle), numbers, participant).await?;
    if as_json {
        say!("{}", json!({ "from": numbers.0, "to": numbers.1, "changes": found }))?;
    } else if found.is_empty() {
        say!("отличий нет / nothing differs")?;
    } else {
        print_changes(&found)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_changes(found: &[FileChange]) -> std::io::Result<()> {
    for change in found {
        say_part!("{}", change.text())?;
    }
    Ok(())
}

async fn history(
    office: &Office,
    participant: Option<&str>,
    kind: RevisionKind,
    limit: u32,
    as_json: bool,
) -> Result<(), Failure> {
    let found = office.editor().history(kind, participant, limit).await?;
    if as_json {
        let row = |entry: &crate::gateway::administer::Entry| {
            let mut told = info(&entry.info);
            if let Value::Object(fields) = &mut told {
                fields.insert("participants".to_owned(), json!(entry.participants));
                fields.insert("files".to_owned(), json!(entry.files));
            }
            told
        };
        return Ok(say!("{}", json!({ "revisions": found.iter().map(row).collect::<Vec<_>>() }))?);
    }
    let rows: Vec<Vec<String>> = found
        .into_iter()
        .map(|entry| {
            let what = match kind {
                RevisionKind::Participants => entry.participants.join(","),
                RevisionKind::Bundle => format!("файлов / files {}", entry.files),
            };
            let RevisionInfo { number, created_at, author, comment, .. } = entry.info;
            vec![number.to_string(), created_at.to_string(), author, what, comment.replace(['\n', '\r'], " ")]
        })
        .collect();
    let heads = ["редакция / revision", "когда / when", "кто / who", "что / what", "зачем / why"];
    Ok(table::print(&heads, &rows)?)
}

async fn certificate(command: CertificateCommand) -> Result<(), Failure> {
    match command {
        CertificateCommand::List { dir, participant, within, json } => {
            let office = Office::open(&dir).await?;
            let mut found = office.editor().certificates(participant.as_deref(), within).await?;
            if within.is_some() {
                found.retain(|c| matches!(c.state, CertificateState::Soon | CertificateState::Ended));
            }
            if json {
                return Ok(say!("{}", json!({ "certificates": found }))?);
            }
            print_certificates(&found)
        }
        CertificateCommand::Add { dir, participant, file, by } => {
            let (office, bytes) = (Office::open(&dir).await?, read(&file)?);
            let upload = Upload { participant: &participant, bytes: &bytes, based_on: None };
            saved(office.editor().add_certificate(&upload, &by.note()).await, by.json)
        }
        CertificateCommand::End { dir, participant, thumbprint, by } => {
            let office = Office::open(&dir).await?;
            let ending = Ending { participant: &participant, thumbprint, based_on: None };
            saved(office.editor().end_certificate(&ending, &by.note()).await, by.json)
        }
    }
}

fn print_certificates(found: &[Listed]) -> Result<(), Failure> {
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|c| {
            let state = match c.state {
                CertificateState::Future => "ещё нет / not yet".to_owned(),
                CertificateState::Valid | CertificateState::Soon => format!("{} дн. / days", c.days_left),
                CertificateState::Ended => "кончился / ended".to_owned(),
            };
            let (from, until) = (c.not_before.to_string(), c.not_after.to_string());
            vec![
                c.participant.to_string(),
                from,
                until,
                state,
                c.key.to_owned(),
                c.thumbprint.to_string(),
                c.subject.clone(),
            ]
        })
        .collect();
    let heads = [
        "участник / participant",
        "с / from",
        "по / until",
        "осталось / left",
        "ключ / key",
        "SHA-256",
        "чей / subject",
    ];
    Ok(table::print(&heads, &rows)?)
}
