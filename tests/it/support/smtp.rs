//! A mail server for tests: speaks SMTP on loopback, keeps what it is given, and behaves as it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::{eventually, python};

/// What it does with whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes every mail.
    Takes,
    /// Takes the connection and says nothing, until the mood changes.
    Mute,
    /// Keeps the mail and does not answer its end, until the mood changes.
    KeepsWaiting,
    /// Keeps the mail and asks to come later: 451.
    AsksForPatience,
}

#[derive(Default)]
struct Shared {
    mood: Mutex<Option<Mood>>,
    changed: Condvar,
    mails: Mutex<Vec<String>>,
    connections: Mutex<usize>,
}

/// The server; it ends with the process.
pub(crate) struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A mail, as Python's own reader sees it.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) message_id: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) automatic: String,
}

impl SmtpSink {
    /// Listens on a free port of loopback.
    pub(crate) fn start(mood: Mood) -> Self {
        Self::listen("127.0.0.1:0".parse().unwrap(), mood)
    }

    /// Listens on this port, which was free a moment ago.
    pub(crate) fn listen(address: SocketAddr, mood: Mood) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { mood: Mutex::new(Some(mood)), ..Shared::default() });
        let own = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = own.clone();
                // Whoever is killed in the middle of a conversation leaves an error here, and that is all.
                std::thread::spawn(move || converse(&stream, &shared).ok());
            }
        });
        Self { address, shared }
    }

    /// A port on which nobody listens.
    pub(crate) fn free_address() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    /// The settings that lead here.
    pub(crate) fn settings(address: SocketAddr) -> String {
        format!(
            "notify.smtp = {{ host = \"127.0.0.1\", port = {}, tls = \"none\", from = \"Шлюз <gateway@example.org>\", timeout_ms = 5000 }}",
            address.port()
        )
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on behaves so; who waits is let go.
    pub(crate) fn behave(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = Some(mood);
        self.shared.changed.notify_all();
    }

    /// How often somebody has connected.
    pub(crate) fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// The mails that came over the wire, in order, copies too, as they came.
    pub(crate) fn raw(&self) -> Vec<String> {
        self.shared.mails.lock().unwrap().clone()
    }

    /// The mails that came over the wire, read.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.raw().iter().map(|raw| Letter::read(raw)).collect()
    }

    /// Waits until so many mails came, copies too.
    pub(crate) fn until(&self, count: usize, within: Duration) {
        eventually(&format!("{count} mails"), within, || (self.raw().len() >= count).then_some(()));
    }
}

impl Letter {
    fn read(raw: &str) -> Self {
        let script = "import email, email.policy, json, sys; m = email.message_from_string(sys.argv[1], policy=email.policy.default); \
             print(json.dumps([m['message-id'], m['to'], m['subject'], m.get_content(), m['auto-submitted']]))";
        let read = python(script, &[raw]).done().json();
        let part = |n: usize| read[n].as_str().unwrap_or_default().to_owned();
        Self {
            message_id: part(0),
            to: part(1),
            subject: part(2),
            text: part(3).replace("\r\n", "\n"),
            automatic: part(4),
        }
    }
}

impl Shared {
    fn mood(&self) -> Mood {
        self.mood.lock().unwrap().unwrap()
    }

    /// Waits while the mood is this one.
    fn while_mood(&self, mood: Mood) {
        let guard = self.mood.lock().unwrap();
        drop(self.changed.wait_while(guard, |now| *now == Some(mood)).unwrap());
    }
}

fn converse(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    *shared.connections.lock().unwrap() += 1;
    shared.while_mood(Mood::Mute);
    let mut out = stream;
    let mut lines = BufReader::new(stream).lines();
    out.write_all(b"220 sink ESMTP\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-sink\r\n250 8BITMIME\r\n",
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let mail: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| line != ".").collect();
                let undotted = mail.iter().map(|line| line.strip_prefix('.').unwrap_or(line));
                shared.mails.lock().unwrap().push(undotted.collect::<Vec<_>>().join("\r\n"));
                let mood = shared.mood();
                shared.while_mood(Mood::KeepsWaiting);
                if mood == Mood::AsksForPatience { b"451 later\r\n" } else { b"250 taken\r\n" }
            }
            "QUIT" => b"221 bye\r\n",
            "MAIL" | "RCPT" | "RSET" | "NOOP" => b"250 fine\r\n",
            _ => b"502 what\r\n",
        };
        out.write_all(answer)?;
        if verb == "QUIT" {
            break;
        }
    }
    Ok(())
}
