//! `mezhved partner simulate`: a participant's system before its own is ready.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use super::serve::stopped;
use super::{ConfigDir, Failure};
use crate::app::read_folder;
use crate::crypto::{Certificate, FileSigner};
use crate::demo::system::{Behaviour, Identity, Profile, Rehearsal, Way, rehearse};
use crate::domain::{Participant, TransportKind};
use crate::settings::{Settings, participants};

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
    /// Папка записей: что послано и принято, точные байты / the folder of its records: what was sent and received, exact bytes
    /// [default: simulated/ID below the folder]
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Пауза для slow и flapping, секунды / the pause of slow and flapping, in seconds
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
    let Some(participant) = people.into_iter().find(|p| p.id.as_str() == args.id) else {
        return Err(Failure::new(format!(
            "участника `{0}` в папке нет / the folder has no participant `{0}`: participants/*.toml",
            args.id
        )));
    };
    if participant.framing.plain().is_some() {
        return Err(Failure::new(format!(
            "у участника `{0}` framing = \"plain\": заменить можно только систему с конвертами; ответьте на его запросы любым сервером HTTP / \
             the participant `{0}` has framing = \"plain\": only a system with envelopes can be stood in for; answer with any HTTP server",
            participant.id
        )));
    }
    let (way, listen) = way(&participant, &settings, args.listen)?;
    let below = |given: Option<PathBuf>, default: String| given.unwrap_or_else(|| settings.folder.join(default));
    let read = |path: &PathBuf| std::fs::read(path).map_err(|e| Failure::of(&path.display().to_string(), &e));
    let key = below(args.key, format!("keys/{}.key.pem", participant.id));
    let cert = below(args.cert, format!("keys/{}.cert.pem", participant.id));
    let trusted = args.gateway_cert.unwrap_or_else(|| settings.path(&settings.gateway.certificate));
    let signer =
        FileSigner::from_pem(&read(&key)?, &read(&cert)?).map_err(|e| Failure::of(&key.display().to_string(), &e))?;
    let trusted =
        Certificate::from_pem(&read(&trusted)?).map_err(|e| Failure::of(&trusted.display().to_string(), &e))?;
    let profile = Profile {
        id: participant.id.clone(),
        gateway: settings.gateway.id.clone(),
        name: participant.name.clone(),
        adapter: participant.adapter.clone(),
        way,
        behaviour: args.behaviour,
        pause_seconds: args.pause,
    };
    let scheme = if settings.agencies.tls_certificate.as_os_str().is_empty() { "http" } else { "https" };
    let rehearsal = Rehearsal {
        identity: Identity::new(profile, signer, trusted),
        zone: participant.zone,
        files: folder.bundle,
        home: below(args.home, format!("simulated/{}", participant.id)),
        listen,
        gateway: args.gateway.unwrap_or_else(|| format!("{scheme}://{}", settings.agencies.listen)),
        is_told: args.told,
    };
    rehearse(rehearsal, stop).await?;
    Ok(ExitCode::SUCCESS)
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
