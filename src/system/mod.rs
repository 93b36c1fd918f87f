//! One simulated system: a process of its own with its own keys, form and records. It speaks to the gateway over sockets only,
//! trusts nothing but the gateway's certificate, and keeps what it promises: records before receipts, the same bytes again until
//! its message is receipted, doubles removed by id.

mod amqp;
mod bare;
mod behaviour;
mod bodies;
mod compose;
mod duties;
mod identity;
mod link;
mod mailbox;
pub(crate) mod protocol;
mod push;
mod records;
mod rehearsal;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::adapter::{Adapter, AdapterSet, HeaderView, PartnerBody, PartnerBodyRef};
use crate::body::Body;
use crate::bundle::Files;
use crate::domain::{Fault, FaultClass, FaultCode, Header, Zone, chain};
use crate::envelope::BodyDraft;
use crate::schema::Catalogue;
use crate::transport::http::{ListenOptions, Listener, listen};
use crate::xml::{self, Limits};

pub(crate) use bare::Bare;
pub(crate) use behaviour::Behaviour;
use compose::{Desk, Wanted};
pub(crate) use duties::Office;
use identity::OwnBody;
pub(crate) use identity::{Identity, Opened, Profile, Signed, Way, technical};
use link::Link;
use protocol::{Application, Command, Event, Report, Request};
use records::Records;
pub(crate) use records::{Received, Sent, received, sent};
use rehearsal::Memory;

/// The pause before a message that was not answered is sent again; it grows with each attempt.
const RETRY_PAUSE: Duration = Duration::from_millis(300);
/// The longest such pause, as a multiple.
const RETRY_STEPS_MAX: u32 = 10;

/// Why a simulated system cannot run.
#[derive(Debug, thiserror::Error)]
#[error("{home}: {problem}")]
pub struct SystemError {
    /// Its folder.
    pub home: PathBuf,
    /// What is wrong.
    pub problem: String,
}

/// A running system.
struct System {
    identity: Identity,
    adapter: Option<Arc<Adapter>>,
    catalogue: Catalogue,
    records: Mutex<Records>,
    today: Mutex<NaiveDate>,
    numbers: AtomicU32,
    is_ready: AtomicBool,
    link: OnceLock<Link>,
    /// In a rehearsal, where it acts by itself: the zone of its dates. In the demonstration it does what it is told.
    zone: Option<Zone>,
    memory: Mutex<Memory>,
    /// Its place among the others, where it acts by itself.
    office: Option<Office>,
    started: Instant,
    /// How it is spoken to without envelopes, if it is.
    bare: Option<Arc<Bare>>,
}

/// A system that stands in for a participant of a configuration.
pub(crate) struct Rehearsal {
    /// Who it is.
    pub(crate) identity: Identity,
    /// The zone of its dates.
    pub(crate) zone: Zone,
    /// Its place among the others: what it owes there it does by itself.
    pub(crate) office: Office,
    /// The bundle: schemas with their samples, and adapters.
    pub(crate) files: Files,
    /// The folder of its records.
    pub(crate) home: PathBuf,
    /// Where it takes pushes, if it does.
    pub(crate) listen: Option<SocketAddr>,
    /// The gateway's address for agencies.
    pub(crate) gateway: String,
    /// How it is spoken to without envelopes, if it is: its identity has no keys then.
    pub(crate) bare: Option<Bare>,
    /// Whether it does what the demonstration tells it, in JSON lines on standard input, instead of acting by itself. The first line
    /// says where the gateway is; the system ends when the input does.
    pub(crate) is_told: bool,
}

/// Runs a system until it is stopped. Prints a JSON line for each event.
///
/// # Errors
/// When the adapter, the records or the address cannot be used.
pub(crate) async fn rehearse(rehearsal: Rehearsal, stop: impl Future<Output = ()>) -> Result<(), SystemError> {
    let Rehearsal { identity, zone, office, files, home, listen: address, gateway, bare, is_told } = rehearsal;
    let wrong = |problem: String| SystemError { home: home.clone(), problem };
    let system = System::new(identity, &files, &home).map_err(wrong)?;
    let (zone, office) = if is_told { (None, None) } else { (Some(zone), Some(office)) };
    let bare = bare.map(Arc::new);
    let system = Arc::new(System { zone, office, bare: bare.clone(), ..system });
    let mut listener = None;
    if let Some(address) = address {
        let options = ListenOptions::plain(address);
        let router = match &bare {
            Some(bare) => bare::router(system.clone(), bare.clone()),
            None => push::router(system.clone()),
        };
        listener = Some(listen(options, router).await.map_err(|e| wrong(chain(&e)))?);
    }
    system.say(&Event::Started { address: listener.as_ref().map(Listener::address) });
    if is_told {
        system.obey_all(stop).await;
        return Ok(());
    }
    let link = link::open(&system, &gateway).await.map_err(wrong)?;
    drop(system.link.set(link));
    if let Some(text) = bare.and_then(|bare| bare.lacks()) {
        system.trouble(text);
    }
    if listener.is_some() {
        system.ready();
    }
    stop.await;
    Ok(())
}

/// The answer to bytes that came.
struct Answer {
    header: Header,
    bytes: Vec<u8>,
    status: u16,
}

impl System {
    fn new(identity: Identity, files: &Files, home: &Path) -> Result<Self, String> {
        let own = identity.profile.adapter.as_ref().map(|name| format!("adapters/{name}/"));
        let is_needed =
            |path: &str| path.starts_with("schemas/") || own.as_ref().is_some_and(|own| path.starts_with(own));
        let files: Files = files.iter().filter(|(p, _)| is_needed(p)).map(|(p, b)| (p.clone(), b.clone())).collect();
        Ok(Self {
            adapter: own_adapter(&identity.profile, &files)?,
            catalogue: Catalogue::from_files(&files).map_err(|e| format!("schemas: {e:?}"))?,
            records: Mutex::new(Records::open(home).map_err(|e| format!("records: {e}"))?),
            today: Mutex::new(NaiveDate::default()),
            numbers: AtomicU32::new(0),
            is_ready: AtomicBool::new(false),
            link: OnceLock::new(),
            zone: None,
            memory: Mutex::default(),
            office: None,
            started: Instant::now(),
            bare: None,
            identity,
        })
    }

    /// Obeys what stands on standard input until it ends.
    async fn obey_all(self: &Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        loop {
            let line = tokio::select! {
                () = &mut stop => return,
                line = lines.next_line() => line,
            };
            let Ok(Some(line)) = line else { return };
            match serde_json::from_str(&line) {
                Ok(command) => self.obey(command).await,
                Err(error) => self.trouble(format!("a command cannot be read: {error}")),
            }
        }
    }

    async fn obey(self: &Arc<Self>, command: Command) {
        match command {
            Command::Begin { gateway, today } => {
                self.set_today(today);
                match link::open(self, &gateway).await {
                    Ok(link) => {
                        drop(self.link.set(link));
                        if self.identity.profile.way == Way::Http {
                            self.ready();
                        }
                    }
                    Err(text) => self.trouble(text),
                }
            }
            Command::Today { today } => self.set_today(today),
            Command::Application(application) => self.send(self.application(&application)),
            Command::Request(request) => self.send(self.request(&request)),
            Command::Report(report) => self.send(self.report(&report)),
        }
    }

    // --- What it makes.

    fn application(&self, application: &Application) -> Result<Signed, String> {
        let profile = &self.identity.profile;
        let mut header = self.identity.header(bodies::kind("application"), &profile.id);
        header.case_id = Some(application.case);
        let body = bodies::application(application, self.today(), &profile.name);
        self.sign(header, &body.map_err(|e| e.to_string())?)
    }

    fn request(&self, request: &Request) -> Result<Signed, String> {
        let mut header = self.identity.header(bodies::kind("document-request"), &request.to);
        header.case_id = Some(request.case);
        let body = bodies::request(request, self.today(), &self.identity.profile.name, &self.outgoing());
        self.sign(header, &body.map_err(|e| e.to_string())?)
    }

    fn report(&self, report: &Report) -> Result<Signed, String> {
        let header = self.identity.header(bodies::kind("progress-report"), &report.to);
        let body = bodies::report(report, self.today(), &self.identity.profile.name, &self.outgoing());
        self.sign(header, &body.map_err(|e| e.to_string())?)
    }

    /// A body that came in the system's own form, in the canonical one.
    fn canonical(&self, opened: &Opened) -> Result<Vec<u8>, String> {
        let kind = &opened.header.message_type;
        Ok(match (&self.adapter, &opened.body) {
            (Some(adapter), body) => {
                let form = match body {
                    OwnBody::Xml(bytes) => PartnerBodyRef::Xml(bytes),
                    OwnBody::Payload { media_type, bytes } => PartnerBodyRef::Payload { media_type, bytes },
                };
                let view = HeaderView::from(&opened.header);
                adapter.to_canonical(kind, form, &view, &self.catalogue).map_err(|e| e.to_string())?
            }
            (None, OwnBody::Xml(bytes)) => bytes.clone(),
            (None, OwnBody::Payload { .. }) => return Err("a body in an unknown form".to_owned()),
        })
    }

    /// The answer to a request.
    fn response(&self, opened: &Opened) -> Result<Signed, String> {
        let kind = "document-response";
        let canonical = self.canonical(opened)?;
        let document = xml::read(&canonical, &Limits::default()).map_err(|fault| fault.to_string())?;
        let request =
            Body::read(&opened.header.message_type, document.root()).ok_or("a request of an unknown version")?;
        let request = request.map_err(|misread| misread.to_string())?;
        let mut header = self.identity.header(bodies::kind(kind), &opened.header.sender);
        header.conversation_id = opened.header.conversation_id;
        header.in_reply_to = Some(opened.header.message_id);
        header.case_id = opened.header.case_id;
        let desk = self.desk();
        let file = self.answers_with_files().then(|| bodies::file(&desk.outgoing));
        let wanted = Wanted { file: file.as_ref().map(|file| file.digest), ..Wanted::default() };
        header.attachments.extend(file);
        let known = [(opened.header.message_type.name.clone(), request)].into();
        let body = compose::compose(kind, &desk, &wanted, &known).map_err(|e| e.to_string())?;
        self.sign(header, &body.write().map_err(|e| e.to_string())?)
    }

    /// Who has no form of its own sends files, others send data: both ways of answering are shown. Without envelopes no file goes.
    fn answers_with_files(&self) -> bool {
        self.bare.is_none() && self.adapter.as_ref().is_none_or(|a| a.is_canonical())
    }

    /// Signs a canonical body in the system's own form.
    fn sign(&self, header: Header, canonical: &[u8]) -> Result<Signed, String> {
        let body = match &self.adapter {
            None => BodyDraft::Xml(canonical.to_vec()),
            Some(adapter) => match adapter.to_partner(&header.message_type, canonical, &HeaderView::from(&header)) {
                Ok(PartnerBody::Xml(bytes)) => BodyDraft::Xml(bytes),
                Ok(PartnerBody::Payload { media_type, bytes }) => BodyDraft::Payload { media_type, bytes },
                Err(error) => return Err(error.to_string()),
            },
        };
        self.identity.sign(header, body).map_err(|e| chain(&e))
    }

    // --- What it sends.

    /// Sends in the background: on disk first, then the same bytes until the gateway's receipt is verified.
    fn send(self: &Arc<Self>, signed: Result<Signed, String>) {
        let system = self.clone();
        let signed = match (&self.bare, signed) {
            (Some(bare), Ok(signed)) => match bare.route(signed) {
                Ok(None) => return,
                Ok(Some(signed)) => Ok(signed),
                Err(text) => Err(text),
            },
            (_, signed) => signed,
        };
        tokio::spawn(async move {
            let sent = match signed {
                Ok(signed) => system.deliver(&signed).await,
                Err(error) => Err(error),
            };
            if let Err(text) = sent {
                system.trouble(text);
            }
        });
    }

    async fn deliver(&self, signed: &Signed) -> Result<(), String> {
        let header = &signed.header;
        let (id, kind) = (header.message_id, header.message_type.name.clone());
        let digest = signed.digest.to_string();
        let sent = Sent { id, to: header.recipient.clone(), kind: kind.clone(), digest, receipted: false };
        self.on_disk(|records| records.sending(&sent, &signed.bytes))?;
        // What comes at once, before it has connected itself, is answered when it has.
        let link = loop {
            match self.link.get() {
                Some(link) => break link,
                None => tokio::time::sleep(RETRY_PAUSE).await,
            }
        };
        for attempt in 1_u32.. {
            match self.attempt(link, signed).await {
                Ok((None, receipt)) => {
                    self.on_disk(|records| records.receipted(&sent, &receipt))?;
                    let (to, in_reply_to) = (header.recipient.clone(), header.in_reply_to);
                    self.say(&Event::Accepted { id, kind, to, in_reply_to });
                    return Ok(());
                }
                Ok((Some(code), _)) if FaultCode::parse(&code).is_none_or(|c| c.class() == FaultClass::Reject) => {
                    self.say(&Event::Refused { id, kind, code });
                    return Ok(());
                }
                Ok((Some(code), _)) => self.trouble(format!("{kind} {id}: {code}")),
                Err(text) => self.trouble(format!("{kind} {id}: {text}")),
            }
            tokio::time::sleep(RETRY_PAUSE * attempt.min(RETRY_STEPS_MAX)).await;
        }
        Ok(())
    }

    /// One attempt: `None` with the verified receipt, or the code of a verified fault.
    async fn attempt(&self, link: &Link, signed: &Signed) -> Result<(Option<String>, Vec<u8>), String> {
        if let Link::Plain(door) = link {
            return door.post(signed).await;
        }
        let answer = link.submit(signed).await?;
        let opened = self.identity.open(&answer).map_err(|f| f.to_string())?;
        let word = self.identity.word_about(signed, &opened).map_err(|f| f.to_string())?;
        Ok((word, answer))
    }

    // --- What it receives.

    /// Takes what the gateway delivers, and answers with the system's signed receipt or fault.
    async fn take(self: &Arc<Self>, bytes: Vec<u8>) -> Result<Answer, String> {
        self.before_taking().await?;
        let system = self.clone();
        let taken = tokio::task::spawn_blocking(move || match system.identity.open(&bytes) {
            Ok(opened) => system.took(opened, &bytes),
            Err(fault) => system.refused(&fault, &bytes),
        });
        let (answer, new) = taken.await.map_err(|e| e.to_string())??;
        if let Some(new) = new {
            let system = self.clone();
            tokio::task::spawn_blocking(move || system.follow(&new));
        }
        Ok(answer)
    }

    /// Records a message and makes its receipt; it is given back to be followed, the first time only.
    fn took(&self, opened: Opened, bytes: &[u8]) -> Result<(Answer, Option<Opened>), String> {
        if self.identity.profile.behaviour == Behaviour::Broken {
            return Ok((self.broken_answer(&opened)?, None));
        }
        let header = &opened.header;
        let (id, from, kind) = (header.message_id, header.sender.clone(), header.message_type.name.clone());
        let digest = opened.digest.to_string();
        let received = Received { sender: from.clone(), id, kind: kind.clone(), digest };
        let is_new = self.on_disk(|records| records.receive(&received, bytes))?;
        let receipt = self.identity.receipt(&opened).map_err(|e| chain(&e))?;
        self.say(&Event::Received { id, kind, from, again: !is_new });
        let answer = Answer { header: receipt.header, bytes: receipt.bytes, status: 200 };
        Ok((answer, is_new.then_some(opened)))
    }

    fn refused(&self, fault: &Fault, bytes: &[u8]) -> Result<(Answer, Option<Opened>), String> {
        self.trouble(format!("refused what came: {fault}"));
        let refusal = self.identity.refusal(fault, bytes).map_err(|e| chain(&e))?;
        Ok((Answer { header: refusal.header, bytes: refusal.bytes, status: fault.code.http_status() }, None))
    }

    // --- Small things.

    fn on_disk<T>(&self, write: impl FnOnce(&mut Records) -> io::Result<T>) -> Result<T, String> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut records).map_err(|e| format!("records: {e}"))
    }

    /// What the next body that it writes begins with.
    fn desk(&self) -> Desk {
        let profile = &self.identity.profile;
        let (organisation, own) = (profile.name.clone(), profile.id.clone());
        Desk { organisation, own, today: self.today(), now: self.identity.now(), outgoing: self.outgoing() }
    }

    fn today(&self) -> NaiveDate {
        if let Some(zone) = self.zone {
            return self.identity.now().utc().with_timezone(&zone.tz()).date_naive();
        }
        *self.today.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_today(&self, today: NaiveDate) {
        *self.today.lock().unwrap_or_else(PoisonError::into_inner) = today;
    }

    /// The next outgoing number.
    fn outgoing(&self) -> String {
        format!("исх-2026/{:04}", self.numbers.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Tells once that the system is connected.
    fn ready(&self) {
        if !self.is_ready.swap(true, Ordering::AcqRel) {
            self.say(&Event::Ready);
        }
    }

    fn trouble(&self, text: String) {
        self.say(&Event::Trouble { text });
    }

    fn say(&self, event: &Event) {
        if let Ok(mut line) = serde_json::to_vec(event) {
            line.push(b'\n');
            let mut out = io::stdout().lock();
            // Nobody listens any more: standard input ends too, and with it the system.
            drop(out.write_all(&line).and_then(|()| out.flush()));
        }
    }
}

fn own_adapter(profile: &Profile, files: &Files) -> Result<Option<Arc<Adapter>>, String> {
    let Some(name) = &profile.adapter else { return Ok(None) };
    let adapters = AdapterSet::from_files(files).map_err(|e| format!("adapters: {e:?}"))?;
    let adapter = adapters.get(name).ok_or_else(|| format!("adapters: there is no `{name}`"))?;
    Ok(Some(adapter.clone()))
}
