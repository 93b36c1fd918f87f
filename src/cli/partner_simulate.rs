//! `mezhved partner simulate`: a participant's system before its own is ready.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::serve::stopped;
use super::{ConfigDir, Failure};
use crate::app::read_folder;
use crate::bundle::Files;
use crate::crypto::{Certificate, FileSigner, sha256};
use crate::deadline::{Finding, Regulations};
use crate::domain::{Participant, Plain, TransportKind};
use crate::settings::{Secret, Settings, participants};
use crate::system::{Bare, Behaviour, Identity, Office, Profile, Rehearsal, Way, rehearse};

#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    #[command(flatten)]
    dir: ConfigDir,
    /// Участник из папки настроек / the participant, by its id in the configuration folder
    id: String,
    /// Как себя ведёт / how it behaves
    #[arg(long, value_enum, default_value_t)]
    behaviour: Behaviour,
    /// Закрытый ключ участника / the participant's private key, PEM [default: keys/ID.key.pem below the folder]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Его сертификат / its certificate, PEM [default: keys/ID.cert.pem below the folder]
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Сертификат шлюза / the gateway's certificate, PEM [default: that of settings.toml]
    #[arg(long, value_name = "FILE")]
    gateway_cert: Option<PathBuf>,
    /// Адрес шлюза для ведомств / the gateway's address for agencies [default: agencies.listen of settings.toml]
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// Где принимать, если шлюз передаёт по HTTP / where to take pushes [default: the address in the participant's url]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Токен участника без конвертов, которым он посылает сам / the token by which a participant without envelopes posts: its file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Папка записей: что послано и принято, точные байты / the folder of its records: what was sent and received, exact bytes
    /// [default: simulated/ID below the folder]
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Пауза для slow, flapping и для late без напоминаний, секунды / the pause of slow, flapping, and late without reminders, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pause: u64,
    /// Does what JSON lines on standard input say, as the demonstration does
    #[arg(long, hide = true)]
    told: bool,
}

/// Runs until SIGTERM or Ctrl-C.
pub(super) async fn run(args: SimulateArgs) -> Result<ExitCode, Failure> {
    let stop = stopped()?;
    let settings = Settings::load(&args.dir.config)?;
    let folder = read_folder(&args.dir.config)?;
    let people = participants::parse(&folder.participants).map_err(super::partner::problems)?;
    let Some(participant) = people.iter().find(|p| p.id.as_str() == args.id).cloned() else {
        return Err(Failure::new(format!(
            "участника `{0}` в папке нет / the folder has no participant `{0}`: participants/*.toml",
            args.id
        )));
    };
    let (way, listen) = way(&participant, &settings, args.listen)?;
    let bare = bare(&participant, &settings, &args)?;
    let profile = Profile {
        id: participant.id.clone(),
        gateway: settings.gateway.id.clone(),
        name: participant.name.clone(),
        adapter: participant.adapter.clone(),
        way,
        behaviour: args.behaviour,
        pause_seconds: args.pause,
    };
    let identity = match bare {
        Some(_) => Identity::bare(profile),
        None => signing(profile, &settings, &args)?,
    };
    let scheme = if settings.agencies.tls_certificate.as_os_str().is_empty() { "http" } else { "https" };
    let rehearsal = Rehearsal {
        identity,
        zone: participant.zone,
        office: office(&participant, people, &folder.bundle)?,
        files: folder.bundle,
        home: below(&settings, args.home.as_ref(), &format!("simulated/{}", participant.id)),
        listen,
        gateway: args.gateway.unwrap_or_else(|| format!("{scheme}://{}", settings.agencies.listen)),
        bare,
        is_told: args.told,
    };
    rehearse(rehearsal, stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// A path that was given, or one below the folder.
fn below(settings: &Settings, given: Option<&PathBuf>, default: &str) -> PathBuf {
    given.cloned().unwrap_or_else(|| settings.folder.join(default))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::of(&path.display().to_string(), &e))
}

/// The keys of a system with envelopes.
fn signing(profile: Profile, settings: &Settings, args: &SimulateArgs) -> Result<Identity, Failure> {
    let key = below(settings, args.key.as_ref(), &format!("keys/{}.key.pem", profile.id));
    let cert = below(settings, args.cert.as_ref(), &format!("keys/{}.cert.pem", profile.id));
    let trusted = args.gateway_cert.clone().unwrap_or_else(|| settings.path(&settings.gateway.certificate));
    let signer =
        FileSigner::from_pem(&read(&key)?, &read(&cert)?).map_err(|e| Failure::of(&key.display().to_string(), &e))?;
    let trusted =
        Certificate::from_pem(&read(&trusted)?).map_err(|e| Failure::of(&trusted.display().to_string(), &e))?;
    Ok(Identity::new(profile, signer, trusted))
}

/// The endpoint of a participant without envelopes, if it is one: the secret by which the gateway comes, and the token by which it posts.
fn bare(participant: &Participant, settings: &Settings, args: &SimulateArgs) -> Result<Option<Bare>, Failure> {
    let id = &participant.id;
    let (Some(plain), TransportKind::Http { url }) = (participant.framing.plain(), &participant.transport) else {
        return match args.token_file {
            None => Ok(None),
            Some(_) => Err(Failure::new(format!(
                "--token-file: участник `{id}` подписывает сам, токена у него нет; уберите этот ключ / \
                 the participant `{id}` signs itself and has no token; take --token-file out"
            ))),
        };
    };
    for (flag, given) in [("--key", &args.key), ("--cert", &args.cert), ("--gateway-cert", &args.gateway_cert)] {
        if given.is_some() {
            return Err(Failure::new(format!(
                "{flag}: у участника `{id}` framing = \"plain\", он ничего не подписывает и не проверяет; уберите этот ключ / \
                 the participant `{id}` has framing = \"plain\", it signs and verifies nothing; take {flag} out"
            )));
        }
    }
    let authorization = settings.read_authorization(id, plain.auth).map_err(|e| Failure::new(e.to_string()))?;
    let token = args.token_file.as_deref().map(|path| token(path, plain)).transpose()?;
    Ok(Some(Bare::new(plain.clone(), url.clone(), authorization, token)))
}

/// The token by which a participant posts: one line, whose SHA-256 its file names.
fn token(path: &Path, plain: &Plain) -> Result<Secret, Failure> {
    let bytes = read(path)?;
    let token = bytes.trim_ascii_end();
    if !plain.tokens.contains(&sha256(token)) {
        return Err(Failure::new(format!(
            "{0}: SHA-256 этого токена нет в token_sha256 участника; `mezhved key token` даёт и токен, и строку / \
             {0}: token_sha256 of the participant does not name this token; `mezhved key token` makes both",
            path.display()
        )));
    }
    Ok(Secret::from(String::from_utf8_lossy(token).into_owned()))
}

/// The participant's place: its regulation and everybody who takes part.
fn office(own: &Participant, people: Vec<Participant>, bundle: &Files) -> Result<Office, Failure> {
    let told = |found: Vec<Finding>| Failure::new(found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    let regulations = Regulations::from_files(bundle).map_err(told)?;
    match regulations.get(&own.regulation) {
        Some(regulation) => Ok(Office { regulation: regulation.clone(), own: own.clone(), people }),
        None => Err(Failure::new(format!(
            "регламента `{0}` в папке нет / the folder has no regulation `{0}`: regulations/{0}.toml",
            own.regulation
        ))),
    }
}

/// How messages reach the participant, and where it listens for them.
fn way(
    participant: &Participant,
    settings: &Settings,
    listen: Option<SocketAddr>,
) -> Result<(Way, Option<SocketAddr>), Failure> {
    match &participant.transport {
        TransportKind::Mailbox => Ok((Way::Mailbox, None)),
        TransportKind::Amqp if settings.broker.url.is_empty() => {
            Err(Failure::new("broker.url в settings.toml не задан / broker.url in settings.toml is empty"))
        }
        TransportKind::Amqp => Ok((Way::Amqp { broker: settings.broker.url.clone() }, None)),
        TransportKind::Http { url } => {
            let named = || {
                let url = url::Url::parse(url).ok().filter(|url| url.scheme() == "http")?;
                format!("{}:{}", url.host_str()?, url.port_or_known_default()?).parse().ok()
            };
            let address = listen.or_else(named).ok_or_else(|| {
                Failure::new(format!(
                    "по адресу {url} здесь слушать нельзя; назовите --listen / {url} is no address to listen on here; name --listen"
                ))
            })?;
            Ok((Way::Http, Some(address)))
        }
    }
}
