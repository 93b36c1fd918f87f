//! What all worlds stand on and none changes: keys, the compiled configuration, a database without messages. Made once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use mezhved::app;
use mezhved::crypto::{FileSigner, KeyKind, Signer as _, generate};
use mezhved::domain::{ParticipantId, Timestamp};
use mezhved::gateway::{Clock, Snapshot, first_revisions};
use mezhved::settings::Settings;
use mezhved::store::{Store, StoreOptions};
use sqlx::Connection as _;

/// The gateway's own id.
pub(crate) const GATEWAY: &str = "mezhved";
/// A Tuesday, 10 o'clock in Yugra.
pub(crate) const BEGINS: &str = "2026-05-12T05:00:00Z";
/// How long a worker has for one attempt.
pub(crate) const LEASE_SECONDS: i64 = 60;

/// Who takes part, with its roles and how it is reached.
pub(crate) const PARTIES: [(&str, &[&str], Reach); 5] = [
    ("uszn", &["uszn", "commission", "working-group", "department"], Reach::Http),
    ("health", &["health"], Reach::Http),
    ("police", &["police"], Reach::Queue),
    ("education", &["education", "guardianship", "employment"], Reach::Mailbox),
    ("provider", &["provider"], Reach::Mailbox),
];
/// To whom conversations go in their order.
pub(crate) const ORDERED: [&str; 3] = ["health", "police", "education"];
/// Who is told of failures only.
const FAILURES_ONLY: [&str; 2] = ["police", "provider"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Http,
    Queue,
    Mailbox,
}

/// Watches over what no statement may ever do, statement by statement. How an attempt ended is written before anything of the same batch can
/// take its delivery again: it stands under the number that its delivery has.
const TRIGGERS: &str = "
    CREATE TABLE broken (what TEXT NOT NULL);
    CREATE TRIGGER fenced AFTER INSERT ON delivery_attempts
        WHEN (SELECT lease_epoch FROM deliveries WHERE id = NEW.delivery_id) <> NEW.epoch
        BEGIN INSERT INTO broken VALUES ('the result of a lease that had ended was written: delivery ' || NEW.delivery_id); END;
    CREATE TRIGGER final AFTER UPDATE ON deliveries WHEN OLD.state = 'delivered' AND NEW.state <> 'delivered'
        BEGIN INSERT INTO broken VALUES ('a delivery went back from delivered to ' || NEW.state || ': ' || NEW.id); END;
    CREATE TRIGGER receipt_stays AFTER UPDATE ON contents WHEN OLD.receipt IS NOT NEW.receipt OR OLD.bytes <> NEW.bytes
        BEGIN INSERT INTO broken VALUES ('what was recorded was changed: record ' || NEW.record_id); END;
    CREATE TRIGGER outgoing_stays AFTER UPDATE ON outgoing WHEN OLD.signed <> NEW.signed
        BEGIN INSERT INTO broken VALUES ('other bytes go out than before: delivery ' || NEW.delivery_id); END;
    CREATE TRIGGER sealed_stays AFTER UPDATE ON journal WHEN OLD.seq IS NOT NULL AND OLD.seq IS NOT NEW.seq
        BEGIN INSERT INTO broken VALUES ('a sealed journal row was numbered anew: ' || NEW.id); END;
    CREATE TRIGGER met_stays AFTER UPDATE ON obligations
        WHEN OLD.settled_at IS NOT NULL AND (NEW.settled_at IS NULL OR NEW.settled_at > OLD.settled_at)
        BEGIN INSERT INTO broken VALUES ('a settled obligation was opened again or settled later: ' || NEW.id); END;
";

pub(crate) struct Ground {
    pub(crate) settings: Settings,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) gateway: Arc<FileSigner>,
    pub(crate) signers: BTreeMap<&'static str, Arc<FileSigner>>,
    database: PathBuf,
    folder: tempfile::TempDir,
}

static GROUND: LazyLock<Ground> = LazyLock::new(make);

pub(crate) fn ground() -> &'static Ground {
    &GROUND
}

pub(crate) fn begins() -> Timestamp {
    Timestamp::parse(BEGINS).unwrap()
}

pub(crate) fn participant(id: &str) -> ParticipantId {
    ParticipantId::parse(id).unwrap()
}

impl Ground {
    /// A database of its own for a world, in a folder that goes with it.
    pub(crate) fn database(&self) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let file = folder.path().join("world.db");
        std::fs::copy(&self.database, &file).unwrap();
        (folder, file)
    }
}

/// A store's options for a file that is thrown away.
pub(crate) fn options(file: &Path) -> StoreOptions {
    let url = format!("sqlite://{}", file.display());
    StoreOptions { durable: false, readers_max: 1, ..StoreOptions::new(url) }
}

fn keys(folder: &Path, name: &str) -> Arc<FileSigner> {
    let made = generate::key_and_certificate(KeyKind::Ed25519, name, 400, begins()).unwrap();
    std::fs::write(folder.join(format!("{name}.crt")), &made.certificate_pem).unwrap();
    Arc::new(FileSigner::from_pem(&made.key_pem, &made.certificate_pem).unwrap())
}

fn make() -> Ground {
    let folder = tempfile::Builder::new().prefix("mezhved-hunt-").tempdir().unwrap();
    let participants = folder.path().join("participants");
    std::fs::create_dir(&participants).unwrap();
    let gateway = keys(folder.path(), "gateway");
    let mut signers = BTreeMap::new();
    for (id, roles, reach) in PARTIES {
        let signer = keys(&participants, id);
        assert_eq!(signer.certificate().key_kind().unwrap(), KeyKind::Ed25519);
        signers.insert(id, signer);
        let roles: Vec<String> = roles.iter().map(|role| format!("{{ role = \"{role}\" }}")).collect();
        let transport = match reach {
            Reach::Http => format!("{{ kind = \"http\", url = \"https://{id}.example/in\" }}"),
            Reach::Queue => "{ kind = \"amqp\" }".to_owned(),
            Reach::Mailbox => "{ kind = \"mailbox\" }".to_owned(),
        };
        let notices = if FAILURES_ONLY.contains(&id) { "failures" } else { "all" };
        let text = format!(
            "id = \"{id}\"\nname = \"Участник {id}\"\nregulation = \"yugra\"\nzone = \"Asia/Yekaterinburg\"\nordered = {}\n\
             notices = \"{notices}\"\nin_flight_max = 8\nrole = [{}]\ntransport = {transport}\ncertificate = [{{ file = \"{id}.crt\" }}]\n",
            ORDERED.contains(&id),
            roles.join(", ")
        );
        std::fs::write(participants.join(format!("{id}.toml")), text).unwrap();
    }
    let settings = format!(
        "[gateway]\nid = \"{GATEWAY}\"\n[delivery]\nworkers = 1\nlease_ms = {}\nreceipt_wait_seconds = 300\n\
         retry_base_ms = 500\nretry_ceiling_ms = 30000\nattempts_max = 6\n[mailbox]\nlease_seconds = 60\nbatch_max = 5\n",
        LEASE_SECONDS * 1_000
    );
    std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
    let settings = Settings::load(folder.path()).unwrap();
    let own = app::read_folder(folder.path()).unwrap();
    let database = folder.path().join("ground.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let snapshot = runtime.block_on(async {
        let store = Store::open(options(&database)).await.unwrap();
        let clock = Clock::turned_by_hand(begins(), 0);
        let snapshot = first_revisions(&store, &own.participants, &own.bundle, &settings.gateway.id, &clock).await;
        store.close().await;
        let mut conn = sqlx::SqliteConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
        sqlx::raw_sql(TRIGGERS).execute(&mut conn).await.unwrap();
        // One file from here on, so that a copy of it is whole.
        sqlx::raw_sql("DELETE FROM config_revisions; PRAGMA journal_mode = DELETE; VACUUM")
            .execute(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        snapshot.unwrap()
    });
    Ground { settings, snapshot: Arc::new(snapshot), gateway, signers, database, folder }
}
