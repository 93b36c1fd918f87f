//! A RabbitMQ virtual host a test, and the broker's restart.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{run, variable};

static CREATED: AtomicU32 = AtomicU32::new(0);

/// Regular expressions of the queues and exchanges that an account may configure, write to and read from.
pub(crate) struct Permissions<'a> {
    pub(crate) configure: &'a str,
    pub(crate) write: &'a str,
    pub(crate) read: &'a str,
}

/// A new, empty virtual host with an account that may do everything in it; deleted when dropped.
pub(crate) struct AmqpVhost {
    name: String,
    url: String,
    exclusive: bool,
    /// All tests share one broker: the many hold it together, one that restarts it holds it alone.
    _broker: File,
}

impl AmqpVhost {
    /// Creates the virtual host. Blocks; fit for sync and async tests.
    pub(crate) fn create() -> Self {
        let broker = broker_lock();
        broker.lock_shared().unwrap();
        Self::create_in(broker, false)
    }

    /// Creates the virtual host with the broker held alone, for a test that calls [`AmqpVhost::restart_broker`] or
    /// breaks the broker in another way. Waits until no other test uses the broker; take it before other resources,
    /// and never beside another virtual host in one test.
    pub(crate) fn create_alone() -> Self {
        let broker = broker_lock();
        broker.lock().unwrap();
        Self::create_in(broker, true)
    }

    fn create_in(broker: File, exclusive: bool) -> Self {
        let name = format!("test-{}-{}", std::process::id(), CREATED.fetch_add(1, Ordering::Relaxed));
        rabbitmqctl(&["add_vhost", &name]);
        let mut vhost = Self { name, url: String::new(), exclusive, _broker: broker };
        vhost.url = vhost.account("all", &Permissions { configure: ".*", write: ".*", read: ".*" });
        vhost
    }

    /// `amqp://USER:PASSWORD@127.0.0.1:PORT/NAME`, of an account that may do everything in this virtual host.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Adds an account with these permissions in this virtual host; answers its URL.
    pub(crate) fn account(&self, name: &str, permissions: &Permissions<'_>) -> String {
        let user = format!("{}-{name}", self.name);
        let password = format!("password-of-{user}");
        rabbitmqctl(&["add_user", &user, &password]);
        let Permissions { configure, write, read } = permissions;
        rabbitmqctl(&["set_permissions", "--vhost", &self.name, &user, configure, write, read]);
        let server = variable("MEZHVED_TEST_AMQP");
        let (_, server) = server.rsplit_once('@').expect("MEZHVED_TEST_AMQP has an account");
        let (address, _) = server.split_once('/').expect("MEZHVED_TEST_AMQP ends with /VHOST");
        format!("amqp://{user}:{password}@{address}/{}", self.name)
    }

    /// Kills the broker (`kill -9`), starts it again on the same port and waits until it listens.
    pub(crate) fn restart_broker(&self) {
        assert!(self.exclusive, "other tests use the broker; make the virtual host with AmqpVhost::create_alone");
        run(Command::new(variable("MEZHVED_TEST_RABBITMQ_RESTART")).arg("kill")).done();
    }
}

impl Drop for AmqpVhost {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            rabbitmqctl(&["delete_vhost", &self.name]);
        }
    }
}

fn rabbitmqctl(arguments: &[&str]) {
    run(Command::new(variable("MEZHVED_TEST_RABBITMQCTL")).arg("--quiet").args(arguments)).done();
}

/// A lock on a file, not in memory, so that it holds between processes too (nextest starts one for each test).
pub(crate) fn broker_lock() -> File {
    let rabbitmqctl = variable("MEZHVED_TEST_RABBITMQCTL");
    File::open(Path::new(&rabbitmqctl).with_file_name("rabbitmq.lock")).unwrap()
}
