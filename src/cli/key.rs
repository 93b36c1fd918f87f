//! `mezhved key`: make keys and look at certificates.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::crypto::{Certificate, KeyKind, generate, sha256};
use crate::domain::Timestamp;
use crate::gateway::Clock;

use super::Failure;
use super::envelope::{named, read_certificate};

/// Ключи и сертификаты. / Keys and certificates.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Создать ключ и самоподписанный сертификат. / Make a key and a self-signed certificate.
    ///
    /// Пишет NAME.key.pem (только для владельца) и NAME.cert.pem; имеющиеся файлы не трогает.
    /// Writes NAME.key.pem (for its owner only) and NAME.cert.pem; never replaces a file.
    #[command(after_help = "Пример / Example:\n  mezhved key generate --out keys --name health --alg p256")]
    Generate(GenerateArgs),
    /// Показать сертификат: чей, чем подписывает, до какого срока. / Show a certificate: whose, how it signs, until when.
    Show(ShowKeyArgs),
    /// Создать токен участника без конвертов. / Make a token for a participant without envelopes.
    ///
    /// Токен отдают участнику, token_sha256 пишут в его файл; сам токен шлюзу не нужен и нигде не хранится.
    /// The token goes to the participant, token_sha256 into its file; the gateway needs no token and keeps none.
    Token {
        /// Напечатать в JSON. / Print as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What `key generate` needs.
#[derive(Debug, clap::Args)]
struct GenerateArgs {
    /// Папка, создаётся при надобности. / The folder; made when it is missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Имя: латинские буквы, цифры, - _ . , не более 64 знаков. / The name: Latin letters, digits, - _ . , at most 64 characters.
    #[arg(long, value_parser = file_name)]
    name: String,
    /// Вид ключа: rsa, p256, p384 или ed25519. / The kind of key.
    #[arg(long, value_name = "ALG", default_value = "p256", value_parser = kind)]
    alg: KeyKind,
    /// Срок сертификата в днях. / How many days the certificate is valid.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Напечатать результат в JSON. / Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What `key show` needs.
#[derive(Debug, clap::Args)]
struct ShowKeyArgs {
    /// Сертификат, PEM. / The certificate, PEM.
    file: PathBuf,
    /// Напечатать в JSON. / Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    run_at(&args.command, Clock::default().now(), &mut std::io::stdout())?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the command at `now`; what it prints goes to `out`.
fn run_at(command: &KeyCommand, now: Timestamp, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        KeyCommand::Generate(args) => make(args, now, out),
        KeyCommand::Show(args) => print(&facts(&read_certificate(&args.file)?, now), args.json, out),
        KeyCommand::Token { json } => {
            let token = generate::token()?;
            let hash = sha256(token.as_bytes());
            print(&json!({ "token": token, "token_sha256": hash }), *json, out)
        }
    }
}

fn make(args: &GenerateArgs, now: Timestamp, out: &mut dyn Write) -> Result<(), Failure> {
    let key_path = args.out.join(format!("{}.key.pem", args.name));
    let certificate_path = args.out.join(format!("{}.cert.pem", args.name));
    if let Some(taken) = [&key_path, &certificate_path].into_iter().find(|path| path.exists()) {
        return Err(named(
            taken,
            "такой файл уже есть; дайте другое имя или папку / the file is there already; choose another --name or --out",
        ));
    }
    let made = generate::key_and_certificate(args.alg, &args.name, args.days, now)?;
    std::fs::create_dir_all(&args.out).map_err(|e| named(&args.out, e))?;
    write_new(&key_path, &made.key_pem, 0o600)?;
    write_new(&certificate_path, &made.certificate_pem, 0o644)?;
    let mut told = facts(&Certificate::from_pem(&made.certificate_pem)?, now);
    if let Value::Object(fields) = &mut told {
        fields.insert("key".to_owned(), json!(key_path));
        fields.insert("certificate".to_owned(), json!(certificate_path));
    }
    print(&told, args.json, out)
}

/// Creates a file that must not be there, with these permissions from the first byte.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut f| f.write_all(bytes)).map_err(|e| named(path, e))
}

fn facts(certificate: &Certificate, now: Timestamp) -> Value {
    let algorithm = certificate.key_kind().map(KeyKind::as_str);
    json!({
        "subject": certificate.subject(),
        "thumbprint": certificate.thumbprint(),
        "algorithm": algorithm.as_ref().ok(),
        "problem": algorithm.as_ref().err().map(ToString::to_string),
        "notBefore": certificate.not_before(),
        "notAfter": certificate.not_after(),
        "valid": certificate.is_valid_at(now),
    })
}

fn print(facts: &Value, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if as_json {
        serde_json::to_writer_pretty(&mut *out, facts)?;
        return Ok(out.write_all(b"\n")?);
    }
    for (name, value) in facts.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        writeln!(out, "{name:<12} {text}")?;
    }
    Ok(())
}

fn kind(word: &str) -> Result<KeyKind, String> {
    KeyKind::parse(word).ok_or_else(|| "rsa, p256, p384 or ed25519 is needed".to_owned())
}

fn file_name(text: &str) -> Result<String, String> {
    let right = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if (1..=64).contains(&text.len()) && text.bytes().all(right) && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err("1 to 64 Latin letters, digits and - _ . are needed, not beginning with a point".to_owned())
    }
}
