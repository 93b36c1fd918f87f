//! The pages in headless Chromium, driven by ChromeDriver.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;

use crate::world::{Backend, PASSWORD, RUNTIME, World};

/// ChromeDriver on a port of its own; ends with the test.
pub(super) struct Driver {
    child: Child,
    address: String,
    /// Kept open, so that what it says later has somewhere to go.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Driver {
    pub(super) fn start() -> Self {
        // The port that it takes for IPv4 may be another's for IPv6: then it ends, and the next one tries.
        let mut said = Vec::new();
        for _ in 0..10 {
            let mut command = Command::new("chromedriver");
            let child = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
            let mut child = child.expect("chromedriver of Debian's chromium-driver");
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            while let Some(line) = lines.next() {
                let line = line.unwrap();
                if let Some(port) = line.split("started successfully on port ").nth(1) {
                    let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
                    return Self { child, address, _said: lines };
                }
                said.push(line);
            }
            child.wait().unwrap();
        }
        panic!("chromedriver does not start: {said:#?}");
    }

    /// A browser of its own, which puts what it downloads into the world's folder `downloads`.
    pub(super) async fn browser(&self, world: &World) -> Client {
        let profile = format!("--user-data-dir={}", world.file("chromium").display());
        let arguments = json!({ "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", profile,
        ], "prefs": { "download.default_directory": world.file("downloads") }});
        let capabilities = [("goog:chromeOptions".to_owned(), arguments)].into_iter().collect();
        ClientBuilder::native().capabilities(capabilities).connect(&self.address).await.unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Signs in on the page that is shown, and waits for the page behind it.
pub(super) async fn sign_in(browser: &Client, login: &str, password: &str) {
    browser.find(Locator::Css("[name=login]")).await.unwrap().send_keys(login).await.unwrap();
    browser.find(Locator::Css("[name=password]")).await.unwrap().send_keys(password).await.unwrap();
    browser.find(Locator::Css("main button")).await.unwrap().click().await.unwrap();
    browser.wait().for_element(Locator::Css(".account")).await.unwrap();
}

#[test]
fn a_browser_signs_in_and_runs_the_script_that_the_policy_allows() {
    let world = World::on(Backend::Sqlite).start();
    world.add_account("petrova", &["--role", "operator"]);
    let driver = Driver::start();
    let address = world.gateway().console().to_owned();
    RUNTIME.block_on(async {
        let browser = driver.browser(&world).await;
        browser.goto(&format!("{address}/obligations?group=running")).await.unwrap();
        sign_in(&browser, "petrova", PASSWORD).await;
        browser.wait().for_element(Locator::Css(".tabs")).await.unwrap();
        assert_eq!(browser.current_url().await.unwrap().query(), Some("group=running"), "back where one wanted to go");

        // A filter changes the address and the listing without a reload.
        browser.execute("window.stays = true", vec![]).await.unwrap();
        let choose = "const s = document.querySelector('[name=participant]'); s.value = 'health'; \
                      s.dispatchEvent(new Event('change', { bubbles: true }))";
        browser.execute(choose, vec![]).await.unwrap();
        browser
            .wait()
            .for_url(&format!("{address}/obligations?group=running&participant=health").parse().unwrap())
            .await
            .unwrap();
        assert_eq!(browser.execute("return window.stays === true", vec![]).await.unwrap(), json!(true));

        browser.goto(&format!("{address}/?lang=en")).await.unwrap();
        assert!(browser.source().await.unwrap().contains("Overview"));
        for width in [360, 1440] {
            browser.set_window_size(width, 900).await.unwrap();
            for page in [
                "/",
                "/obligations",
                "/messages",
                "/messages/search",
                "/queues",
                "/queues/health",
                "/dead",
                "/own/password",
                "/nothing",
            ] {
                browser.goto(&format!("{address}{page}")).await.unwrap();
                let wide = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
                assert_eq!(browser.execute(wide, vec![]).await.unwrap(), json!(false), "{page} at {width}");
            }
        }
        browser.close().await.unwrap();
    });
}
