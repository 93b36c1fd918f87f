//! E-mail: one mail to one address, handed to the mail server of the settings. TLS is OpenSSL, through `native-tls`.

use std::time::Duration;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use openssl::x509::X509;

use crate::domain::{MailingId, ParkReason, Timestamp, chain};
use crate::transport::Outcome;

/// How the line to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    None,
    /// By STARTTLS, which must succeed.
    StartTls,
    /// By TLS from the first byte.
    Tls,
}

/// How mails go out.
#[derive(Clone)]
pub struct MailOptions {
    /// The mail server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is protected.
    pub protection: Protection,
    /// Certificates of authorities, PEM, trusted beside the system's own.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Account and password, if the server wants them.
    pub login: Option<(String, String)>,
    /// The sender: `a@b` or `Name <a@b>`.
    pub from: String,
    /// For the whole of one mail.
    pub timeout: Duration,
}

/// The mailer could not be made: the options are wrong.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The sender is no address.
    #[error("notify.smtp.from: `{0}` is no address")]
    From(String),
    /// A root certificate is not PEM.
    #[error("notify.smtp.ca_file holds no PEM certificate")]
    Root,
    /// TLS could not be set up.
    #[error("TLS to the mail server could not be set up")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Makes its `Message-ID`, the same in every attempt.
    pub id: MailingId,
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text, plain.
    pub text: String,
    /// Its `Date`.
    pub at: Timestamp,
}

/// Hands mails to the server, each over a connection of its own: there are few, and a storm is one digest.
#[derive(Debug, Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Mailer {
    /// Sets up. Nothing is connected yet.
    ///
    /// # Errors
    /// When an option is unusable.
    pub fn new(options: MailOptions) -> Result<Self, MailError> {
        let from = options.from.parse().map_err(|_| MailError::From(options.from.clone()))?;
        let tls = match options.protection {
            Protection::None => Tls::None,
            Protection::StartTls => Tls::Required(parameters(&options)?),
            Protection::Tls => Tls::Wrapper(parameters(&options)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(options.host)
            .port(options.port)
            .tls(tls)
            .timeout(Some(options.timeout));
        if let Some((user, password)) = options.login {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: builder.build(), from, timeout: options.timeout })
    }

    /// Connects, greets and logs in, and says no more.
    ///
    /// # Errors
    /// What kept it from it, with the server's own words: for the administrator at a terminal, never for a log.
    pub async fn try_connection(&self) -> Result<(), String> {
        match tokio::time::timeout(self.timeout, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("the server does not answer NOOP".to_owned()),
            Ok(Err(error)) => Err(chain(&error)),
            Err(_) => Err(self.too_late()),
        }
    }

    /// Sends one mail. The server's 250 after the text is [`Outcome::Sent`]; its refusal is `PartnerError`, with the code alone, for
    /// its words may repeat an address.
    pub async fn send(&self, mail: &Mail) -> Outcome {
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(problem) => return Outcome::failed(ParkReason::RouteMissing, problem),
        };
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Outcome::SENT,
            Ok(Err(error)) => failed(&error),
            Err(_) => Outcome::failed(ParkReason::TimedOut, self.too_late()),
        }
    }

    /// The `Message-ID` of a mailing.
    pub fn message_id(&self, id: MailingId) -> String {
        format!("<{id}@{}>", self.from.email.domain())
    }

    fn too_late(&self) -> String {
        format!("not done within {} ms", self.timeout.as_millis())
    }

    fn message(&self, mail: &Mail) -> Result<Message, String> {
        let to: Mailbox = mail.to.parse().map_err(|_| "the address cannot be read".to_owned())?;
        let since_epoch = Duration::from_micros(u64::try_from(mail.at.micros()).unwrap_or(0));
        let builder: MessageBuilder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(&mail.subject)
            .date(std::time::SystemTime::UNIX_EPOCH + since_epoch)
            .message_id(Some(self.message_id(mail.id)))
            .header(ContentType::TEXT_PLAIN)
            // No out-of-office answers to a machine.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        builder.body(mail.text.clone()).map_err(|error| chain(&error))
    }
}

fn parameters(options: &MailOptions) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParameters::builder(options.host.clone());
    for pem in &options.extra_roots_pem {
        let certificates = X509::stack_from_pem(pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(MailError::Root);
        }
        for certificate in certificates {
            let der = certificate.to_der().map_err(|_| MailError::Root)?;
            builder = builder.add_root_certificate(Certificate::from_der(der).map_err(MailError::Tls)?);
        }
    }
    builder.build_native().map_err(MailError::Tls)
}

fn failed(error: &lettre::transport::smtp::Error) -> Outcome {
    if let Some(code) = error.status() {
        return Outcome::failed(ParkReason::PartnerError, format!("SMTP {code}"));
    }
    let reason = if error.is_timeout() {
        ParkReason::TimedOut
    } else if error.is_response() || error.is_client() {
        ParkReason::PartnerError
    } else {
        ParkReason::Unreachable
    };
    Outcome::failed(reason, chain(error))
}
