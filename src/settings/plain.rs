//! Participants without envelopes: `framing`, the table `[plain]` of their file, and the node's secrets for them.
//!
//! ```toml
//! framing = "plain"
//! transport = { kind = "http", url = "https://crm.example.org/api" }
//!
//! [plain]                                # last, for keys after it would be its own
//! auth = "bearer"                        # none, bearer or basic; the secret is a file of the node: secrets/ID.bearer
//! method = "POST"                        # or "PUT"
//! path = "/{type}"                       # after the url; {type}, {version}, {message-id}, {sender}
//! token_sha256 = ["9f86d081..."]         # of the tokens by which it posts to the gateway
//!
//! [plain.paths]                          # other paths, by message type
//! document-request = "/requests"
//!
//! [plain.responses]                      # which message comes in the answer to which request
//! document-request = "document-response/1"
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::notify::Secret;
use super::participants::{Place, Said, said};
use super::tree::Settings;
use crate::domain::{Digest, Framing, MessageType, ParticipantId, Plain, PlainAuth, PlainMethod, TransportKind};

/// The largest file with a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 4096;

/// Participants without envelopes, as far as the node goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainSettings {
    /// The folder with the secrets by which the gateway proves itself to them.
    pub secrets: PathBuf,
}

/// What a participant's file says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlain {
    auth: Spanned<String>,
    method: Option<Spanned<String>>,
    path: Option<Spanned<String>>,
    #[serde(default)]
    paths: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    responses: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    token_sha256: Vec<Spanned<String>>,
}

/// The framing of a participant. `certificates` is where its first certificate stands, if it has any. Problems go to `place`.
pub(super) fn framing(
    word: Option<&Spanned<String>>,
    raw: Option<&Spanned<RawPlain>>,
    transport: Option<&TransportKind>,
    certificates: Option<usize>,
    place: &mut Place<'_>,
) -> Option<Framing> {
    let is_plain = match word {
        None => false,
        Some(word) => place.parse(word, |word| match word {
            "envelope" => Ok(false),
            "plain" => Ok(true),
            other => Err(said(
                format!(
                    "framing: `{other}` — допускается envelope (наш конверт) или plain (тела без конверта, по HTTP)"
                ),
                format!("framing: `{other}`; allowed are envelope, or plain for bodies without one over HTTP"),
            )),
        })?,
    };
    match (is_plain, raw, word) {
        (false, None, _) => Some(Framing::Envelope),
        (false, Some(raw), _) => {
            let text = said(
                "[plain] бывает только с framing = \"plain\"; добавьте эту строку в начало файла или уберите таблицу",
                "[plain] goes with framing = \"plain\" only; add that line at the file's beginning, or take the table out",
            );
            place.say(raw.span().start, text);
            None
        }
        (true, None, word) => {
            let text = said(
                "framing = \"plain\": нет таблицы [plain]; добавьте её в конец файла, в ней обязателен auth = \"none\", \"bearer\" или \"basic\"",
                "framing = \"plain\" needs a table [plain] at the end of the file, with auth = \"none\", \"bearer\" or \"basic\"",
            );
            place.say(word.map_or(0, |w| w.span().start), text);
            None
        }
        (true, Some(raw), word) => {
            let start = word.map_or(0, |w| w.span().start);
            check_company(transport, certificates, start, place);
            plain(raw.get_ref(), place).map(|plain| Framing::Plain(Box::new(plain)))
        }
    }
}

/// What else in the file fits or does not fit a participant without envelopes.
fn check_company(transport: Option<&TransportKind>, certificates: Option<usize>, start: usize, place: &mut Place<'_>) {
    match transport {
        Some(TransportKind::Http { url }) => {
            let whole = url::Url::parse(url).is_ok_and(|u| u.query().is_none() && u.fragment().is_none());
            if !whole {
                let text = said(
                    "framing = \"plain\": url без `?` и `#`; остальное пишется в path",
                    "framing = \"plain\": the url has no `?` and `#`; the rest goes into path",
                );
                place.say(start, text);
            }
        }
        Some(TransportKind::Amqp | TransportKind::Mailbox) => {
            let text = said(
                "framing = \"plain\" бывает только с transport = { kind = \"http\", url = \"https://...\" }",
                "framing = \"plain\" goes with transport = { kind = \"http\", url = \"https://...\" } only",
            );
            place.say(start, text);
        }
        None => {}
    }
    if let Some(start) = certificates {
        let text = said(
            "certificate: участник с framing = \"plain\" ничего не подписывает, за него подписывает шлюз; уберите сертификат",
            "certificate: a participant with framing = \"plain\" signs nothing, the gateway signs for it; take it out",
        );
        place.say(start, text);
    }
}

fn plain(raw: &RawPlain, place: &mut Place<'_>) -> Option<Plain> {
    let auth = place.parse(&raw.auth, |word| {
        PlainAuth::parse(word).ok_or_else(|| {
            said(
                format!("auth: `{word}` — допускается none, bearer или basic"),
                format!("auth: `{word}`; allowed are none, bearer and basic"),
            )
        })
    });
    let method = match &raw.method {
        None => Some(PlainMethod::Post),
        Some(word) => place.parse(word, |word| match word {
            "POST" => Ok(PlainMethod::Post),
            "PUT" => Ok(PlainMethod::Put),
            other => Err(said(
                format!("method: `{other}` — допускается POST или PUT"),
                format!("method: `{other}`; allowed are POST and PUT"),
            )),
        }),
    };
    let path = raw.path.as_ref().map_or(Some(String::new()), |text| place.parse(text, path));
    let mut paths = BTreeMap::new();
    for (name, text) in &raw.paths {
        check_name("paths", name, text, place);
        paths.extend(place.parse(text, self::path).map(|path| (name.clone(), path)));
    }
    let mut responses = BTreeMap::new();
    for (name, text) in &raw.responses {
        check_name("responses", name, text, place);
        responses.extend(place.parse(text, message_type).map(|answer| (name.clone(), answer)));
    }
    let tokens = raw.token_sha256.iter().filter_map(|text| place.parse(text, token)).collect();
    Some(Plain { method: method?, auth: auth?, path: path?, paths, responses, tokens })
}

fn check_name(key: &str, name: &str, at: &Spanned<String>, place: &mut Place<'_>) {
    if MessageType::new(name, 1).is_err() {
        let text = said(
            format!("{key}: `{name}` — не тип сообщения; пример: document-request"),
            format!("{key}: `{name}` is no message type; an example: document-request"),
        );
        place.say(at.span().start, text);
    }
}

/// A path that needs no escaping, with names in braces.
fn path(text: &str) -> Result<String, Said> {
    let mut rest = text.to_owned();
    for name in Plain::NAMES {
        rest = rest.replace(&format!("{{{name}}}"), "x");
    }
    let plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/?=&,:@%+".contains(&b));
    let leaves = rest.split(['/', '?']).any(|part| part == "..");
    if (text.is_empty() || text.starts_with('/')) && plain && !leaves {
        return Ok(text.to_owned());
    }
    let names = Plain::NAMES.map(|name| format!("{{{name}}}")).join(", ");
    Err(said(
        format!("путь `{text}`: начинается с `/`, без `..`, пробелов и `#`; в фигурных скобках можно {names}"),
        format!("path `{text}`: it begins with `/` and has no `..`, spaces and `#`; in braces {names} are known"),
    ))
}

fn message_type(text: &str) -> Result<MessageType, Said> {
    let parsed = text.split_once('/').and_then(|(name, version)| MessageType::new(name, version.parse().ok()?).ok());
    parsed.ok_or_else(|| {
        said(
            format!("responses: `{text}` — нужен тип с версией; пример: document-response/1"),
            format!("responses: `{text}`; a type with its version is needed, such as document-response/1"),
        )
    })
}

fn token(text: &str) -> Result<Digest, Said> {
    Digest::parse_hex(text).map_err(|_| {
        said(
            "token_sha256: нужны 64 шестнадцатеричных знака строчными, не сам токен; `mezhved key token` даёт и токен, и это",
            "token_sha256: 64 lower-case hexadecimal digits are needed, not the token itself; `mezhved key token` makes both",
        )
    })
}

/// Why a secret cannot be used; never a word of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretProblem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong and the way out, in Russian.
    pub ru: String,
    /// The same in English.
    pub en: String,
}

impl fmt::Display for SecretProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} / {}", self.path.display(), self.ru, self.en)
    }
}

impl Settings {
    /// The file with the secret for a participant, if one is needed.
    pub fn secret_file(&self, participant: &ParticipantId, auth: PlainAuth) -> Option<PathBuf> {
        let name = format!("{participant}.{}", auth.as_str());
        (auth != PlainAuth::None).then(|| self.path(&self.plain.secrets).join(name))
    }

    /// Reads the secret by which the gateway proves itself to a participant: a token, or `user:password` for `basic`. It is read
    /// whenever it is needed, so that a new one needs no restart. Blocks.
    ///
    /// # Errors
    /// When the file is not there or holds no secret of this kind.
    pub fn read_secret(&self, participant: &ParticipantId, auth: PlainAuth) -> Result<Option<Secret>, SecretProblem> {
        let Some(path) = self.secret_file(participant, auth) else { return Ok(None) };
        secret(&path, auth).map(Some).map_err(|(ru, en)| SecretProblem { path, ru, en })
    }
}

fn secret(path: &Path, auth: PlainAuth) -> Result<Secret, Said> {
    let unreadable = |e: std::io::Error| {
        said(
            format!("секрет не читается ({e}); положите файл на этот узел, с доступом только шлюзу"),
            format!("the secret cannot be read ({e}); put the file on this node, readable by the gateway only"),
        )
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    let text = text.trim_end_matches(['\r', '\n']);
    let fits = text.len() as u64 <= SECRET_BYTES_MAX && text.bytes().all(|b| (0x21..=0x7e).contains(&b));
    match auth {
        PlainAuth::Basic
            if !text
                .split_once(':')
                .is_some_and(|(user, password)| fits && !user.is_empty() && !password.is_empty()) =>
        {
            Err(said(
                "нужна одна строка ПОЛЬЗОВАТЕЛЬ:ПАРОЛЬ без пробелов",
                "one line USER:PASSWORD without spaces is needed",
            ))
        }
        PlainAuth::Bearer if !fits || text.is_empty() => {
            Err(said("нужна одна строка с токеном без пробелов", "one line with the token, without spaces, is needed"))
        }
        PlainAuth::None | PlainAuth::Bearer | PlainAuth::Basic => Ok(Secret::new(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Files;
    use crate::domain::{ConversationId, Header, MessageId, Participant, Priority, Timestamp};
    use crate::settings::participants::{FileProblem, parse};

    const HEAD: &str = "id = \"crm\"\nname = \"CRM\"\nregulation = \"yugra\"\nzone = \"Asia/Yekaterinburg\"\nframing = \"plain\"\n\
                        transport = { kind = \"http\", url = \"https://crm.example.org/api/\" }\n";

    fn read(text: &str) -> Result<Participant, Vec<FileProblem>> {
        let files = Files::from([("participants/crm.toml".to_owned(), text.as_bytes().to_vec())]);
        parse(&files).map(|mut people| people.remove(0))
    }

    #[test]
    fn a_participant_without_envelopes_has_addresses_for_its_types() {
        let text = format!(
            "{HEAD}[plain]\nauth = \"bearer\"\nmethod = \"PUT\"\npath = \"/{{type}}/{{version}}/{{message-id}}?from={{sender}}\"\n\
             token_sha256 = [\"{}\"]\n[plain.paths]\nnotice = \"/notices\"\n[plain.responses]\ndocument-request = \"document-response/1\"\n",
            "ab".repeat(32)
        );
        let participant = read(&text).unwrap();
        let plain = participant.framing.plain().unwrap();
        assert_eq!((plain.method, plain.auth, plain.tokens.len()), (PlainMethod::Put, PlainAuth::Bearer, 1));
        assert_eq!(plain.responses["document-request"].to_string(), "document-response/1");
        let uuid = uuid::Uuid::from_u128(0x0193_1f6e_7a00_7000_8000_0000_0000_0001);
        let mut header = Header {
            message_id: MessageId::from_uuid(uuid),
            conversation_id: ConversationId::from_uuid(uuid),
            in_reply_to: None,
            case_id: None,
            message_type: MessageType::new("document-request", 1).unwrap(),
            sender: ParticipantId::parse("register").unwrap(),
            recipient: participant.id.clone(),
            created: Timestamp::from_micros(0),
            expires: None,
            priority: Priority::Normal,
            test: false,
            via: None,
            derived_from: None,
            attachments: Vec::new(),
        };
        let TransportKind::Http { url } = &participant.transport else { panic!("over HTTP") };
        assert_eq!(
            plain.address(url, &header),
            format!("https://crm.example.org/api/document-request/1/{uuid}?from=register")
        );
        header.message_type = MessageType::new("notice", 1).unwrap();
        assert_eq!(plain.address(url, &header), "https://crm.example.org/api/notices");
        let reminder = MessageType::new("deadline-reminder", 1).unwrap();
        assert!(participant.framing.takes(&header.message_type) && !participant.framing.takes(&reminder));
        let bare = read(&format!("{HEAD}[plain]\nauth = \"none\"\n")).unwrap();
        assert_eq!(bare.framing.plain().unwrap().address(url, &header), *url);
    }

    #[test]
    fn each_mistake_names_its_line_and_the_way_out() {
        let envelope = HEAD.replace("framing = \"plain\"\n", "");
        for (text, line, says) in [
            (HEAD.replace("\"plain\"", "\"bare\""), 5, "envelope"),
            (HEAD.to_owned(), 5, "[plain]"),
            (format!("{envelope}certificate = []\n[plain]\nauth = \"none\"\n"), 7, "framing = \"plain\""),
            (
                format!(
                    "{}[plain]\nauth = \"none\"\n",
                    HEAD.replace("url = \"https://crm.example.org/api/\"", "url = \"https://a/?x\"")
                ),
                5,
                "path",
            ),
            (
                format!(
                    "{}[plain]\nauth = \"none\"\n",
                    HEAD.replace(
                        "{ kind = \"http\", url = \"https://crm.example.org/api/\" }",
                        "{ kind = \"mailbox\" }"
                    )
                ),
                5,
                "kind = \"http\"",
            ),
            (format!("{HEAD}certificate = [{{ file = \"x.crt\" }}]\n[plain]\nauth = \"none\"\n"), 7, "certificate"),
            (format!("{HEAD}[plain]\nauth = \"digest\"\n"), 8, "basic"),
            (format!("{HEAD}[plain]\nauth = \"none\"\nmethod = \"GET\"\n"), 9, "PUT"),
            (format!("{HEAD}[plain]\nauth = \"none\"\npath = \"/a/../b\"\n"), 9, "{message-id}"),
            (format!("{HEAD}[plain]\nauth = \"none\"\npath = \"/{{name}}\"\n"), 9, "{message-id}"),
            (format!("{HEAD}[plain]\nauth = \"none\"\n[plain.paths]\nX = \"/a\"\n"), 10, "document-request"),
            (format!("{HEAD}[plain]\nauth = \"none\"\n[plain.responses]\na = \"b\"\n"), 10, "document-response/1"),
            (format!("{HEAD}[plain]\nauth = \"none\"\ntoken_sha256 = [\"secret-word\"]\n"), 9, "mezhved key token"),
            (format!("{HEAD}[plain]\nauth = \"none\"\nrole = []\n"), 9, "role"),
        ] {
            let problems = read(&text).unwrap_err();
            let found = problems.iter().any(|p| p.line == line && p.ru.contains(says) && p.en.contains(says));
            assert!(found, "{text}\nwanted line {line} with {says}; found {problems:?}");
            assert!(!format!("{problems:?}").contains("secret-word"), "a token is not shown");
        }
    }

    #[test]
    fn a_secret_is_one_line_of_its_kind_and_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(dir.path()).unwrap();
        settings.plain.secrets = "secrets".into();
        std::fs::create_dir(dir.path().join("secrets")).unwrap();
        let id = ParticipantId::parse("crm").unwrap();
        for (name, text, auth, good) in [
            ("crm.bearer", "abc\n", PlainAuth::Bearer, true),
            ("crm.bearer", "hidden two", PlainAuth::Bearer, false),
            ("crm.bearer", "", PlainAuth::Bearer, false),
            ("crm.basic", "user:hidden\n", PlainAuth::Basic, true),
            ("crm.basic", "hidden", PlainAuth::Basic, false),
            ("crm.basic", ":hidden", PlainAuth::Basic, false),
        ] {
            std::fs::write(dir.path().join("secrets").join(name), text).unwrap();
            let found = settings.read_secret(&id, auth);
            assert_eq!(found.is_ok(), good, "{name} {text:?}: {found:?}");
            assert!(!format!("{found:?}").contains("hidden"), "{found:?}");
        }
        assert!(settings.read_secret(&id, PlainAuth::None).unwrap().is_none());
        let other = ParticipantId::parse("other").unwrap();
        let missing = settings.read_secret(&other, PlainAuth::Basic).unwrap_err().to_string();
        assert!(missing.contains("other.basic") && missing.contains("положите"), "{missing}");
    }
}
