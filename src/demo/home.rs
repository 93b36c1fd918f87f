//! The demonstration's folder: keys, homes of the simulated systems, the gateway's configuration.
//!
//! ```text
//! DIR/gateway/             a configuration folder as `mezhved serve` takes it
//! DIR/systems/ID/          one simulated system: its key, its certificate, its records
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::bundle;
use crate::crypto::KeyKind;
use crate::crypto::generate::{Generated, key_and_certificate};
use crate::domain::{CaseId, ParticipantId, Timestamp};
use crate::system::Behaviour;
use crate::system::protocol::SILENT;

use super::DemoError;

/// The gateway's participant id.
pub(super) const GATEWAY_ID: &str = "mezhved";
/// The register, which holds every role of the social protection: office, provider, commission, working group, department.
pub(super) const REGISTER: &str = "register";
/// The zone of everybody in the demonstration.
pub(super) const ZONE: &str = "Asia/Yekaterinburg";

const KEYS_VALID_DAYS: u32 = 365;
/// A system's private key and certificate in its folder.
const KEY: &str = "key.pem";
const CERTIFICATE: &str = "certificate.pem";
/// The gateway's own, in its folder.
const GATEWAY_CERTIFICATE: &str = "keys/gateway.cert.pem";
/// Where nobody listens.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A participant of the demonstration.
struct Member {
    id: &'static str,
    name: &'static str,
    roles: &'static [&'static str],
    adapter: Option<&'static str>,
    way: WayOf,
    key: KeyKind,
}

/// How a member is reached.
enum WayOf {
    Http,
    Mailbox,
    /// Over the broker when there is one, else through the mailbox.
    Broker,
}

const MEMBERS: [Member; 6] = [
    Member {
        id: REGISTER,
        name: "Управление социальной защиты населения (вымышленное)",
        roles: &["uszn", "provider", "commission", "working-group", "department"],
        adapter: None,
        way: WayOf::Http,
        key: KeyKind::P256,
    },
    Member {
        id: "health",
        name: "Городская поликлиника № 0 (вымышленная)",
        roles: &["health"],
        adapter: Some("health"),
        way: WayOf::Http,
        key: KeyKind::Rsa,
    },
    Member {
        id: "education",
        name: "Департамент образования (вымышленный)",
        roles: &["education"],
        adapter: Some("education"),
        way: WayOf::Broker,
        key: KeyKind::P256,
    },
    Member {
        id: SILENT,
        name: "Отдел полиции (вымышленный)",
        roles: &["police"],
        adapter: Some("police"),
        way: WayOf::Broker,
        key: KeyKind::P384,
    },
    Member {
        id: "guardianship",
        name: "Отдел опеки и попечительства (вымышленный)",
        roles: &["guardianship"],
        adapter: Some("guardianship"),
        way: WayOf::Http,
        key: KeyKind::Ed25519,
    },
    Member {
        id: "employment",
        name: "Центр занятости населения (вымышленный)",
        roles: &["employment"],
        adapter: Some("employment"),
        way: WayOf::Mailbox,
        key: KeyKind::P256,
    },
];

/// A measure: who reports on which case until which month.
pub(super) struct Measure {
    /// The case.
    pub(super) case: CaseId,
    /// Who reports.
    pub(super) responsible: &'static str,
    /// Its name.
    pub(super) title: &'static str,
}

/// What the gateway's configuration is made of.
pub(super) struct Plan<'a> {
    /// The database's URL; `None`: embedded, in the folder.
    pub(super) database: Option<&'a str>,
    /// The broker's URL; `None`: no broker.
    pub(super) broker: Option<&'a str>,
    /// The measures.
    pub(super) measures: &'a [Measure],
    /// The last month of the measures, such as `2026-05`.
    pub(super) measures_to: &'a str,
}

/// A simulated system to be started.
pub(super) struct Seat {
    /// Which participant it is.
    pub(super) id: ParticipantId,
    /// The folder of its records.
    pub(super) home: PathBuf,
    /// Its private key, PEM.
    pub(super) key: PathBuf,
    /// Its certificate, PEM.
    pub(super) certificate: PathBuf,
    /// How it behaves.
    pub(super) behaviour: Behaviour,
}

/// The folder.
pub(super) struct Home {
    dir: PathBuf,
    /// Removes the folder at the end; `None`: it is kept.
    temporary: Option<tempfile::TempDir>,
    certificates: BTreeMap<ParticipantId, Vec<u8>>,
}

fn id(text: &str) -> Result<ParticipantId, DemoError> {
    ParticipantId::parse(text).map_err(|e| DemoError::Defect(e.to_string()))
}

impl Home {
    /// Makes the folder (a temporary one, or `keep`, which must be absent or empty) with all keys and the systems' homes.
    pub(super) fn make(keep: Option<&Path>, now: Timestamp) -> Result<Self, DemoError> {
        let temporary = match keep {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new().prefix("mezhved-demo-").tempdir().map_err(file_error(Path::new("/tmp")))?,
            ),
        };
        let dir = match (keep, &temporary) {
            (Some(dir), _) => std::path::absolute(dir).map_err(file_error(dir))?,
            (None, Some(temporary)) => temporary.path().to_path_buf(),
            (None, None) => return Err(DemoError::Defect("no folder".to_owned())),
        };
        if dir.exists() && std::fs::read_dir(&dir).map_err(file_error(&dir))?.next().is_some() {
            return Err(DemoError::FolderNotEmpty(dir));
        }
        let mut home = Self { dir, temporary, certificates: BTreeMap::new() };
        let gateway = generate(KeyKind::P256, GATEWAY_ID, now)?;
        home.write("gateway/keys/gateway.key.pem", &gateway.key_pem, true)?;
        home.write(&format!("gateway/{GATEWAY_CERTIFICATE}"), &gateway.certificate_pem, false)?;
        for (member, keys) in MEMBERS.iter().zip(all_keys(now)?) {
            home.write(&format!("systems/{}/{KEY}", member.id), &keys.key_pem, true)?;
            home.write(&format!("systems/{}/{CERTIFICATE}", member.id), &keys.certificate_pem, false)?;
            home.certificates.insert(id(member.id)?, keys.certificate_pem);
        }
        Ok(home)
    }

    /// Writes the gateway's configuration. Where systems take pushes is not known yet.
    pub(super) fn write_gateway(&self, plan: &Plan<'_>) -> Result<PathBuf, DemoError> {
        self.write("gateway/settings.toml", settings(plan).as_bytes(), true)?;
        self.write("gateway/regulations/yugra.toml", regulation(plan)?.as_bytes(), false)?;
        for member in &MEMBERS {
            let own = id(member.id)?;
            let text = participant(member, plan.broker.is_some(), None);
            self.write(&format!("gateway/participants/{own}.toml"), text.as_bytes(), false)?;
            let certificate = self.certificates.get(&own).map_or(&[][..], Vec::as_slice);
            self.write(&format!("gateway/participants/{own}.crt"), certificate, false)?;
        }
        Ok(self.dir.join("gateway"))
    }

    /// Gives the gateway an adapter of an agency whose list of document kinds lacks one, as happens when an agency's lists change: what is
    /// asked of it by that kind is parked.
    pub(super) fn write_gap(&self, agency: &str, kind: &str) -> Result<(), DemoError> {
        let folder = format!("adapters/{agency}/");
        let list = format!("{folder}codes/document-kinds.csv");
        for (path, bytes) in bundle::embedded().iter().filter(|(path, _)| path.starts_with(&folder)) {
            let lacking = |line: &&[u8]| !line.starts_with(format!("{kind},").as_bytes());
            let bytes = match *path == list {
                true => bytes.split_inclusive(|byte| *byte == b'\n').filter(lacking).flatten().copied().collect(),
                false => bytes.clone(),
            };
            self.write(&format!("gateway/{path}"), &bytes, false)?;
        }
        Ok(())
    }

    /// Writes the addresses of the systems that the gateway posts to.
    pub(super) fn write_addresses(
        &self,
        plan: &Plan<'_>,
        addresses: &BTreeMap<ParticipantId, SocketAddr>,
    ) -> Result<(), DemoError> {
        for member in MEMBERS.iter().filter(|member| matches!(member.way, WayOf::Http)) {
            let text = participant(member, plan.broker.is_some(), addresses.get(&id(member.id)?));
            let path = self.dir.join(format!("gateway/participants/{}.toml", member.id));
            std::fs::write(&path, text).map_err(file_error(&path))?;
        }
        Ok(())
    }

    /// The gateway's certificate, PEM.
    pub(super) fn gateway_certificate(&self) -> Result<Vec<u8>, DemoError> {
        let path = self.dir.join("gateway").join(GATEWAY_CERTIFICATE);
        std::fs::read(&path).map_err(file_error(&path))
    }

    /// The whole folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether the folder stays.
    pub(super) fn is_kept(&self) -> bool {
        self.temporary.is_none()
    }

    /// The systems to be started.
    pub(super) fn seats(&self) -> Vec<Seat> {
        let seat = |(id, home): (ParticipantId, PathBuf)| {
            let behaviour = if id.as_str() == SILENT { Behaviour::Silent } else { Behaviour::Honest };
            Seat { key: home.join(KEY), certificate: home.join(CERTIFICATE), id, home, behaviour }
        };
        self.systems().into_iter().map(seat).collect()
    }

    /// The systems and their homes.
    pub(super) fn systems(&self) -> Vec<(ParticipantId, PathBuf)> {
        self.certificates.keys().map(|id| (id.clone(), self.dir.join("systems").join(id.as_str()))).collect()
    }

    fn write(&self, name: &str, bytes: &[u8], secret: bool) -> Result<(), DemoError> {
        use std::io::Write as _;
        let path = self.dir.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file_error(folder))?;
        }
        let mode = if secret { 0o600 } else { 0o644 };
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(mode).open(&path);
        file.and_then(|mut file| file.write_all(bytes)).map_err(file_error(&path))
    }
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> DemoError + use<> {
    let path = path.to_path_buf();
    move |source| DemoError::File { path, source }
}

fn generate(kind: KeyKind, name: &str, now: Timestamp) -> Result<Generated, DemoError> {
    Ok(key_and_certificate(kind, name, KEYS_VALID_DAYS, now)?)
}

/// The members' keys, each made in a thread of its own: an RSA key takes a moment.
fn all_keys(now: Timestamp) -> Result<Vec<Generated>, DemoError> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = MEMBERS.iter().map(|m| scope.spawn(|| generate(m.key, m.id, now))).collect();
        let panicked = |_| DemoError::Defect("making a key panicked".to_owned());
        threads.into_iter().map(|thread| thread.join().map_err(panicked)?).collect()
    })
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Free ports, and short pauses: everything is on one machine, and people watch.
fn settings(plan: &Plan<'_>) -> String {
    format!(
        "# Настройки шлюза демонстрации / the demonstration's gateway\n\n\
         [gateway]\nid = \"{GATEWAY_ID}\"\nkey = \"keys/gateway.key.pem\"\ncertificate = \"{GATEWAY_CERTIFICATE}\"\n\n\
         [database]\nurl = {}\n\n[agencies]\nlisten = \"127.0.0.1:0\"\n\n[console]\nlisten = \"127.0.0.1:0\"\n\n\
         [broker]\nurl = {}\n\n[push]\ntimeout_ms = 5000\n\n\
         [delivery]\nlease_ms = 10000\nreceipt_wait_seconds = 5\nretry_base_ms = 100\nretry_ceiling_ms = 2000\npoll_ms = 200\n\n\
         [mailbox]\nlease_seconds = 10\n",
        quoted(plan.database.unwrap_or("sqlite:data/mezhved.db")),
        quoted(plan.broker.unwrap_or_default()),
    )
}

/// The rules whose messages the demonstration plays.
const PLAYED: [&str; 3] = ["document-request", "document-answer", "progress-report"];

/// Switches off the rules that nobody in the demonstration would meet: decisions, programmes and contracts are not played.
fn only_played(text: &str) -> String {
    let mut played = String::new();
    for block in text.split_inclusive("\n\n") {
        let is_rule = block.lines().any(|line| line == "[[deadline]]" || line == "[[task]]");
        let id = block.lines().find_map(|line| line.strip_prefix("id = \"")?.strip_suffix('"'));
        let off = block.lines().any(|line| line.starts_with("off = "));
        match id.filter(|id| is_rule && !off && !PLAYED.contains(id)) {
            Some(id) => {
                let line = format!("id = \"{id}\"\n");
                let why = "off = \"в показе этого обмена нет / the demonstration does not play this exchange\"\n";
                played.push_str(&block.replacen(&line, &format!("{line}{why}"), 1));
            }
            None => played.push_str(block),
        }
    }
    played
}

/// The regulation of the binary with the demonstration's measures.
fn regulation(plan: &Plan<'_>) -> Result<String, DemoError> {
    let missing = || DemoError::Defect("config/regulations/yugra.toml is not in the binary".to_owned());
    let bytes = bundle::embedded().remove("config/regulations/yugra.toml").ok_or_else(missing)?;
    let mut text = only_played(&String::from_utf8(bytes).map_err(|e| DemoError::Defect(e.to_string()))?);
    for measure in plan.measures {
        text.push_str(&format!(
            "\n[[measure]]\ncase = \"{}\"\nterritory = \"71876000\"\nresponsible = \"{}\"\nkind = {}\nfrom = \"2026-05\"\nto = \"{}\"\n",
            measure.case,
            measure.responsible,
            quoted(measure.title),
            plan.measures_to,
        ));
    }
    Ok(text)
}

fn participant(m: &Member, broker: bool, address: Option<&SocketAddr>) -> String {
    let transport = match &m.way {
        WayOf::Http => {
            // Before the system has chosen its port; it is told where to listen then.
            let address = address.copied().unwrap_or(NOWHERE);
            format!("{{ kind = \"http\", url = \"http://{address}/inbox\" }}")
        }
        WayOf::Broker if broker => "{ kind = \"amqp\" }".to_owned(),
        WayOf::Mailbox | WayOf::Broker => "{ kind = \"mailbox\" }".to_owned(),
    };
    let roles: Vec<String> =
        m.roles.iter().map(|r| format!("{{ role = \"{r}\", territories = [\"71876000\"] }}")).collect();
    let adapter = m.adapter.map_or_else(String::new, |a| format!("adapter = \"{a}\"\n"));
    format!(
        "id = \"{id}\"\nname = {name}\nregulation = \"yugra\"\nzone = \"{ZONE}\"\n{adapter}role = [{roles}]\n\
         transport = {transport}\ncertificate = [{{ file = \"{id}.crt\" }}]\n",
        id = m.id,
        name = quoted(m.name),
        roles = roles.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::Regulation;

    #[test]
    fn the_demonstration_has_only_the_rules_that_it_plays() {
        let file = "config/regulations/yugra.toml";
        let text = String::from_utf8(bundle::embedded().remove(file).unwrap()).unwrap();
        let regulation = Regulation::parse(file, &only_played(&text)).unwrap();
        let on: Vec<&str> = regulation.rules.iter().filter(|r| r.off.is_none()).map(|r| r.id.as_str()).collect();
        assert_eq!(on, PLAYED);
        assert_eq!(regulation.rules.len(), Regulation::parse(file, &text).unwrap().rules.len());
    }
}
