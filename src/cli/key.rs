//! `mezhved key`: make keys and look at certificates.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::crypto::{Certificate, FileSigner, KeyKind, Subject, certificate_request, generate, sha256};
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
    /// Запрос сертификата для ключа шлюза, для удостоверяющего центра. / A request for a certificate, for an authority.
    ///
    /// Без --key делает новый ключ NAME.key.pem; имеющиеся файлы не трогает. Пишет NAME.csr.pem; закрытого ключа в нём нет. На ответ
    /// центра: mezhved key accept.
    /// Makes a new key NAME.key.pem unless --key names one; never replaces a file. Writes NAME.csr.pem, without the private key. With the
    /// authority's answer: mezhved key accept.
    #[command(
        after_help = "Пример / Example:\n  mezhved key request --out keys --name gateway-2027 --subject 'CN=gateway, O=Депсоцразвития Югры, C=RU'"
    )]
    Request(RequestArgs),
    /// Принять ответ центра: проверить и положить рядом с ключом. / Take the authority's answer: check it and put it beside the key.
    ///
    /// Сертификат (PEM или DER) должен подходить к ключу и действовать. Пишет его рядом как NAME.cert.pem и печатает, что вписать в
    /// settings.toml; файлы, по которым шлюз работает сейчас, не трогает.
    /// The certificate (PEM or DER) must fit the key and be valid. Writes it beside the key as NAME.cert.pem and prints what to put into
    /// settings.toml; the files that the gateway works by now stay.
    #[command(
        after_help = "Пример / Example:\n  mezhved key accept --key keys/gateway-2027.key.pem --certificate answer.cer"
    )]
    Accept(AcceptArgs),
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

/// What `key request` needs.
#[derive(Debug, clap::Args)]
struct RequestArgs {
    /// Папка, создаётся при надобности. / The folder; made when it is missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Имя файлов. / The name of the files.
    #[arg(long, value_parser = file_name)]
    name: String,
    /// Чей: CN=..., O=..., C=RU; запятая внутри — \\,. / Whose; a comma inside is \\,.
    #[arg(long, value_parser = Subject::parse)]
    subject: Subject,
    /// Имеющийся закрытый ключ, PEM. / A private key that is there, PEM.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Вид нового ключа: rsa, p256, p384 или ed25519. / The kind of a new key.
    #[arg(long, value_name = "ALG", default_value = "p256", value_parser = kind, conflicts_with = "key")]
    alg: KeyKind,
    /// Напечатать результат в JSON. / Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// What `key accept` needs.
#[derive(Debug, clap::Args)]
struct AcceptArgs {
    /// Закрытый ключ, для которого был запрос. / The private key that the request was made for.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Ответ центра: сертификат, PEM или DER. / The authority's answer: the certificate, PEM or DER.
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
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
        KeyCommand::Request(args) => request(args, out),
        KeyCommand::Accept(args) => accept(args, now, out),
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

fn request(args: &RequestArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let request_path = args.out.join(format!("{}.csr.pem", args.name));
    let key_path = args.key.clone().unwrap_or_else(|| args.out.join(format!("{}.key.pem", args.name)));
    let new = [Some(&request_path), args.key.is_none().then_some(&key_path)];
    if let Some(taken) = new.into_iter().flatten().find(|path| path.exists()) {
        return Err(named(
            taken,
            "такой файл уже есть; дайте другое имя или папку / the file is there already; choose another --name or --out",
        ));
    }
    let key = match &args.key {
        Some(path) => std::fs::read(path).map_err(|e| named(path, e))?,
        None => generate::key(args.alg)?,
    };
    let request = certificate_request(&key, &args.subject).map_err(|e| named(&key_path, e))?;
    std::fs::create_dir_all(&args.out).map_err(|e| named(&args.out, e))?;
    if args.key.is_none() {
        write_new(&key_path, &key, 0o600)?;
    }
    write_new(&request_path, &request, 0o644)?;
    print(&json!({ "key": key_path, "request": request_path }), args.json, out)
}

fn accept(args: &AcceptArgs, now: Timestamp, out: &mut dyn Write) -> Result<(), Failure> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| named(path, e));
    let (key, answer) = (read(&args.key)?, read(&args.certificate)?);
    let certificate = match answer.windows(5).any(|w| w == b"-----") {
        true => Certificate::from_pem(&answer),
        false => Certificate::from_der(&answer),
    };
    let certificate = certificate.map_err(|e| named(&args.certificate, e))?;
    let pem = certificate.to_pem()?;
    FileSigner::from_pem(&key, &pem).map_err(|e| named(&args.certificate, e))?;
    if certificate.not_after().plus_seconds(1) <= now {
        return Err(named(&args.certificate, "срок уже истёк / it has ended already"));
    }
    let name = args.key.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".key.pem").or_else(|| name.strip_suffix(".pem")).unwrap_or(&name);
    let path = args.key.with_file_name(format!("{stem}.cert.pem"));
    write_new(&path, &pem, 0o644)?;
    let mut told = facts(&certificate, now);
    if let Value::Object(fields) = &mut told {
        fields.insert("key".to_owned(), json!(args.key));
        fields.insert("certificate".to_owned(), json!(path));
    }
    print(&told, args.json, out)?;
    if args.json {
        return Ok(());
    }
    let text = format!(
        "\nДальше / next:\n\
         1. Дайте сертификат участникам, пусть доверяют обоим. / Give the certificate to the participants; they trust both.\n\
         2. settings.toml, [gateway]: key = \"{}\", certificate = \"{}\"\n\
         3. Перезапустите узлы по одному. / Restart the nodes, one by one.\n",
        args.key.display(),
        path.display()
    );
    Ok(out.write_all(text.as_bytes())?)
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
