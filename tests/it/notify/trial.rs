//! `mezhved notify test` against a mail server that is not ours (aiosmtpd), and what `config check` says of nobody being told.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;
use crate::support::variable;
use crate::transport::tls::Authority;

/// aiosmtpd with STARTTLS and a login, both required; prints its port, and each mail as a line of JSON.
const SERVER: &str = "
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({'to': envelope.rcpt_tos, 'tls': session.ssl is not None, 'user': session.auth_data.login.decode(),
                          'text': envelope.content.decode('utf-8', 'replace')}), flush=True)
        return '250 taken'

def login(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b'gate' and data.password == 'пароль'.encode()
    return AuthResult(success=good, handled=False, auth_data=data)

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])

async def serve():
    smtp = lambda: SMTP(Handler(), tls_context=context, require_starttls=True, authenticator=login, auth_required=True)
    server = await asyncio.get_running_loop().create_server(smtp, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(serve())
";

struct Aiosmtpd {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    port: u16,
}

impl Aiosmtpd {
    fn start(world: &World, authority: &Authority) -> Self {
        let identity = authority.server("localhost");
        let (certificate, key) = (world.file("mail.crt"), world.file("mail.key"));
        std::fs::write(&certificate, identity.chain_pem).unwrap();
        std::fs::write(&key, identity.key_pem).unwrap();
        let mut command = Command::new(variable("MEZHVED_TEST_PYTHON"));
        command.arg("-c").arg(SERVER).arg(&certificate).arg(&key).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().expect("aiosmtpd says its port").unwrap().parse().unwrap();
        Self { child, lines, port }
    }
}

impl Drop for Aiosmtpd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn set(world: &World, settings: &str) {
    let file = world.file("settings.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{text}\n{settings}\n")).unwrap();
}

#[test]
fn a_trial_goes_over_starttls_with_login_and_says_each_step() {
    let (hook, authority) = (HookSink::start(Some(200)), Authority::new());
    let groups = format!("operators = {{ mail = [\"dispatch@example.org\"], webhook = [\"{}\"] }}", hook.url);
    let world = plan(Backend::Sqlite, &groups, 0).prepare();
    let mut server = Aiosmtpd::start(&world, &authority);
    std::fs::write(world.file("ca.pem"), authority.pem()).unwrap();
    let smtp = |password: &str| {
        format!(
            "notify.smtp = {{ host = \"localhost\", port = {}, tls = \"starttls\", ca_file = \"ca.pem\", user = \"gate\", \
             password = \"{password}\", from = \"gateway@example.org\" }}",
            server.port
        )
    };
    let good = smtp("пароль");
    set(&world, &good);
    let said = world.mezhved(&["notify", "test", "--group", "operators"]).done().stdout;
    for step in ["STARTTLS", "сервер отвечает / the server answers", "Message-ID <", "webhook-id "] {
        assert!(said.contains(step), "no `{step}` in {said}");
    }
    let line = server.lines.next().unwrap().unwrap();
    let mail: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&mail["to"], &mail["tls"], &mail["user"]),
        (&json!(["dispatch@example.org"]), &json!(true), &json!("gate"))
    );
    assert_eq!(hook.calls()[0].body["type"], "notify.test");

    // A wrong password, and an authority that is not trusted: each is said, and nothing is shown that is secret.
    let text = std::fs::read_to_string(world.file("settings.toml")).unwrap();
    for (bad, says) in
        [(good.replace("пароль", "не тот"), "535"), (good.replace("ca_file = \"ca.pem\", ", ""), "certificate")]
    {
        std::fs::write(world.file("settings.toml"), text.replace(&good, &bad)).unwrap();
        let refused = world.mezhved(&["notify", "test", "--group", "operators"]);
        assert_eq!(refused.status, Some(1), "{refused}");
        assert!(refused.stdout.contains("не вышло / failed") && refused.stdout.contains(says), "{refused}");
        assert!(!refused.stdout.contains("не тот"), "{refused}");
    }
    let nobody = world.mezhved(&["notify", "test", "--group", "head"]);
    assert!(nobody.status == Some(1) && nobody.stderr.contains("there are: operators"), "{nobody}");
}

#[test]
fn config_check_says_when_nobody_is_told() {
    let silent = World::on(Backend::Sqlite).prepare();
    let said = silent.mezhved(&["config", "check"]).done().stdout;
    assert!(said.contains("[notify.groups] пуст") && said.contains("nobody is told of deadlines"), "{said}");
    let half = plan(Backend::Sqlite, "operators = { webhook = [\"https://example.org/x\"] }", 0).prepare();
    let said = half.mezhved(&["config", "check"]).done().stdout;
    assert!(said.contains("3 working days after") && said.contains("нет адресов группы `head`"), "{said}");
    assert!(!said.contains("группы `operators`"), "{said}");
}
