//! HAProxy as `docker/haproxy.cfg` sets it up, in front of two nodes.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{eventually, run};

const READY_MAX: Duration = Duration::from_secs(30);

/// A port of loopback that nobody listens on now. Below the ephemeral ones, so that no outgoing connection takes it meanwhile.
pub(crate) fn free_port() -> u16 {
    let draw = || 20_000 + (uuid::Uuid::new_v4().as_u128() % 12_000) as u16;
    std::iter::repeat_with(draw).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// Where Debian puts the program; it may not be in the path of who runs the tests.
pub(crate) fn haproxy() -> &'static str {
    if Path::new("/usr/sbin/haproxy").exists() { "/usr/sbin/haproxy" } else { "haproxy" }
}

/// The configuration file.
pub(crate) fn configuration() -> String {
    format!("{}/docker/haproxy.cfg", env!("CARGO_MANIFEST_DIR"))
}

/// A running balancer; it ends with the test.
pub(crate) struct Balancer {
    child: Child,
    address: String,
}

impl Balancer {
    /// Starts it in front of nodes at these ports, which need not listen yet.
    pub(crate) fn start(nodes: [u16; 2]) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let [one, other] = nodes.map(|port| format!("127.0.0.1:{port}"));
        let child = Command::new(haproxy())
            .args(["-db", "-f", &configuration()])
            .envs([("BALANCER_LISTEN", address.as_str()), ("GATEWAY_1", &one), ("GATEWAY_2", &other)])
            .env("RESOLVER", "127.0.0.1:53")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("HAProxy does not start ({error}); run scripts/setup test"));
        let balancer = Self { child, address };
        eventually("the balancer", READY_MAX, || std::net::TcpStream::connect(&balancer.address).ok());
        balancer
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether the configuration is one, with these variables.
    pub(crate) fn check(variables: &[(String, String)]) {
        run(Command::new(haproxy()).args(["-c", "-f", &configuration()]).envs(variables.iter().cloned())).done();
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
