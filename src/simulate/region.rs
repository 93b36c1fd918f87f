//! The simulated region: a holder of every role of the regulation (but for the vacant ones) in every territory, with keys made for this run, and the gateway's
//! configuration folder. The report depends on none of the keys.
//!
//! ```text
//! DIR/settings.toml, keys/, participants/, regulations/, calendars/    a configuration folder as `mezhved serve` takes it
//! DIR/data/mezhved.db                                                 the embedded database, unless another was named
//! ```

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::bundle::Files;
use crate::crypto::generate::{Generated, key_and_certificate};
use crate::crypto::{Certificate, CryptoError, FileSigner, KeyKind};
use crate::deadline::{Regulation, Role};
use crate::domain::{IdError, ParticipantId, RoleCode, Timestamp};
use crate::system::{Behaviour, Identity, Profile, Way};

use super::draw::Draw;

/// The gateway's participant id.
const GATEWAY_ID: &str = "mezhved";
/// Invented territories: no real one begins with 99.
pub(super) const TERRITORIES: [&str; 3] = ["99100000", "99200000", "99300000"];
/// Roles that one agency holds for the whole region; the others have a holder in every territory.
const REGIONAL: [&str; 3] = ["department", "ministry", "databank"];
/// Roles that nobody holds in the simulated region, by regulations: no deadline names them and nobody asks them for documents, so a
/// region without their systems is a whole one.
const VACANT: [(&str, &[&str]); 1] =
    [("yugra", &["culture", "sport", "transport", "internal-policy", "information-technology", "public-relations"])];
/// The keys of a simulation that ends by itself.
const KEYS_VALID_DAYS: u32 = 2;

/// Why a region could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RegionError {
    /// A file or folder.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder of `--keep` has something in it.
    #[error("папка {0} не пуста; укажите новую / the folder {0} is not empty: name a new one")]
    FolderNotEmpty(PathBuf),
    /// A key could not be made.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// A role's code is too long to name its holders after.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// How an agency keeps its terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Temper {
    /// In time, but for a slip now and then.
    Honest,
    /// Often some days late.
    Late,
    /// Often not at all.
    Silent,
}

impl Temper {
    /// The word for people, in Russian and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Honest => ("исправное", "honest"),
            Self::Late => ("опаздывает", "late"),
            Self::Silent => ("молчит", "silent"),
        }
    }
}

/// A simulated agency.
pub(super) struct Agency {
    pub(super) id: ParticipantId,
    pub(super) role: RoleCode,
    /// The place of its territory; `None`: the whole region.
    pub(super) territory: Option<usize>,
    pub(super) name: String,
    pub(super) temper: Temper,
    pub(super) system: Arc<Identity>,
}

impl Agency {
    /// Whether it acts in a territory.
    pub(super) fn is_in(&self, territory: usize) -> bool {
        self.territory.is_none_or(|own| own == territory)
    }
}

/// The region.
pub(super) struct Region {
    pub(super) agencies: Vec<Agency>,
}

impl Region {
    /// The place of the agency that holds a role in a territory.
    pub(super) fn holder(&self, role: &RoleCode, territory: usize) -> Option<usize> {
        self.agencies.iter().position(|a| a.role == *role && a.is_in(territory))
    }

    /// The agency at a place.
    pub(super) fn agency(&self, place: usize) -> Option<&Agency> {
        self.agencies.get(place)
    }
}

/// The folder.
pub(super) struct Folder {
    dir: PathBuf,
    /// Removes the folder at the end; `None`: it is kept.
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    /// Makes a temporary folder, or `keep`, which must be absent or empty.
    pub(super) fn make(keep: Option<&Path>) -> Result<Self, RegionError> {
        let (dir, temporary) = match keep {
            Some(dir) => (std::path::absolute(dir).map_err(file_error(dir))?, None),
            None => {
                let made = tempfile::Builder::new().prefix("mezhved-simulate-").tempdir();
                let made = made.map_err(file_error(&std::env::temp_dir()))?;
                (made.path().to_path_buf(), Some(made))
            }
        };
        if dir.exists() && std::fs::read_dir(&dir).map_err(file_error(&dir))?.next().is_some() {
            return Err(RegionError::FolderNotEmpty(dir));
        }
        Ok(Self { dir, _temporary: temporary })
    }

    /// A folder that is there, with whatever it has in it, and stays.
    pub(super) fn of(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf(), _temporary: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8], secret: bool) -> Result<(), RegionError> {
        use std::io::Write as _;
        let path = self.dir.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file_error(folder))?;
        }
        let mode = if secret { 0o600 } else { 0o644 };
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        file.and_then(|mut file| file.write_all(bytes)).map_err(file_error(&path))
    }
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> RegionError + use<> {
    let path = path.to_path_buf();
    move |source| RegionError::File { path, source }
}

/// Makes the region of a regulation and writes its configuration folder. `now` is the machine's time, `files` is the bundle that the
/// regulation and its calendar come from.
pub(super) fn make(
    folder: &Folder,
    regulation: &Regulation,
    files: &Files,
    database: Option<&str>,
    (seed, now): (u64, Timestamp),
) -> Result<Region, RegionError> {
    let gateway = key_and_certificate(KeyKind::P256, GATEWAY_ID, KEYS_VALID_DAYS, now)?;
    folder.write("keys/gateway.key.pem", &gateway.key_pem, true)?;
    folder.write("keys/gateway.cert.pem", &gateway.certificate_pem, false)?;
    folder.write("settings.toml", settings(database).as_bytes(), true)?;
    let rules = |path: &str| path.starts_with("config/calendars/") || path == regulation.file;
    for (path, bytes) in files.iter().filter(|(path, _)| rules(path)) {
        folder.write(path.strip_prefix("config/").unwrap_or(path), bytes, false)?;
    }
    settle(folder, regulation, &gateway.certificate_pem, KEYS_VALID_DAYS, (seed, now))
}

/// Makes the agencies and writes them as participants into the configuration folder of the gateway with that certificate.
pub(super) fn settle(
    folder: &Folder,
    regulation: &Regulation,
    gateway_pem: &[u8],
    keys_valid_days: u32,
    (seed, now): (u64, Timestamp),
) -> Result<Region, RegionError> {
    let trusted = Certificate::from_pem(gateway_pem)?;
    let mut holdings: Vec<(&Role, Option<usize>)> = Vec::new();
    let vacant = |role: &&Role| {
        let of_it = VACANT.iter().filter(|(id, _)| *id == regulation.id.as_str());
        of_it.flat_map(|(_, codes)| codes.iter()).any(|code| *code == role.code.as_str())
    };
    for role in regulation.roles.iter().filter(|role| !vacant(role)) {
        if REGIONAL.contains(&role.code.as_str()) {
            holdings.push((role, None));
        } else {
            holdings.extend((0..TERRITORIES.len()).map(|territory| (role, Some(territory))));
        }
    }
    let mut agencies = Vec::new();
    for ((role, territory), temper) in holdings.iter().copied().zip(tempers(seed, holdings.len())) {
        let suffix = territory.map_or_else(String::new, |territory| format!("-{}", territory + 1));
        let id = ParticipantId::parse(&format!("{}{suffix}", role.code))?;
        let name = format!("{} ({id}, вымышленный участник)", role.title.ru);
        let keys = key_and_certificate(KeyKind::P256, id.as_str(), keys_valid_days, now)?;
        folder.write(&format!("participants/{id}.crt"), &keys.certificate_pem, false)?;
        let text = participant(&id, &name, regulation, &role.code, territory);
        folder.write(&format!("participants/{id}.toml"), text.as_bytes(), false)?;
        let system = Arc::new(identity(&id, &name, &keys, trusted.clone())?);
        agencies.push(Agency { id, role: role.code.clone(), territory, name, temper, system });
    }
    Ok(Region { agencies })
}

fn identity(id: &ParticipantId, name: &str, keys: &Generated, trusted: Certificate) -> Result<Identity, RegionError> {
    let profile = Profile {
        id: id.clone(),
        gateway: ParticipantId::parse(GATEWAY_ID)?,
        name: name.to_owned(),
        adapter: None,
        way: Way::Mailbox,
        behaviour: Behaviour::Honest,
        pause_seconds: 0,
    };
    Ok(Identity::new(profile, FileSigner::from_pem(&keys.key_pem, &keys.certificate_pem)?, trusted))
}

/// A temper for each agency: of ten, six honest, three late, one silent; at least one of each where there are three.
fn tempers(seed: u64, count: usize) -> Vec<Temper> {
    let (late, silent) = ((count * 3).div_ceil(10), count.div_ceil(10));
    let mut tempers: Vec<Temper> = (0..count)
        .map(|place| match place {
            _ if place < silent => Temper::Silent,
            _ if place < silent + late => Temper::Late,
            _ => Temper::Honest,
        })
        .collect();
    Draw::new(seed, "tempers", 0).shuffle(&mut tempers);
    tempers
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Nothing listens and nothing waits: batches are as large as they may be.
fn settings(database: Option<&str>) -> String {
    format!(
        "# Шлюз моделирования / the gateway of a simulation\n\n\
         [gateway]\nid = \"{GATEWAY_ID}\"\nkey = \"keys/gateway.key.pem\"\ncertificate = \"keys/gateway.cert.pem\"\n\n\
         [database]\nurl = {}\n\n[delivery]\nworkers = 256\n\n[mailbox]\nbatch_max = 100\nlease_seconds = 3600\n",
        quoted(database.unwrap_or("sqlite:data/mezhved.db")),
    )
}

fn participant(
    id: &ParticipantId,
    name: &str,
    regulation: &Regulation,
    role: &RoleCode,
    territory: Option<usize>,
) -> String {
    let oktmo = territory.and_then(|place| TERRITORIES.get(place));
    let where_held = oktmo.map_or_else(String::new, |oktmo| format!(", territories = [\"{oktmo}\"]"));
    format!(
        "id = \"{id}\"\nname = {name}\nregulation = \"{regulation}\"\nzone = \"{zone}\"\n\
         role = [{{ role = \"{role}\"{where_held} }}]\n\
         transport = {{ kind = \"mailbox\" }}\nin_flight_max = 100\nnotices = \"failures\"\ncertificate = [{{ file = \"{id}.crt\" }}]\n",
        name = quoted(name),
        regulation = regulation.id,
        zone = regulation.zone,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_temper_is_there_and_the_seed_deals_them() {
        let dealt = tempers(7, 21);
        let count = |temper| dealt.iter().filter(|t| **t == temper).count();
        assert_eq!((count(Temper::Honest), count(Temper::Late), count(Temper::Silent)), (11, 7, 3));
        assert_eq!(dealt, tempers(7, 21));
        assert_ne!(dealt, tempers(8, 21));
    }
}
