//! Somebody with a browser that runs no script: keeps cookies, follows no redirect by itself, sends forms.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value;

use super::RUNTIME;

/// The password of the tests' accounts.
pub(crate) const PASSWORD: &str = "синий трамвай у моста";

/// An answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Where it sends the browser; empty: nowhere.
    pub(crate) location: String,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    /// The answer of the JSON API.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.text))
    }
}

/// A browser of somebody, or a script with a token.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) address: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The token of the last page that had a form.
    pub(crate) csrf: String,
    /// Further headers of every request.
    pub(crate) headers: Vec<(&'static str, String)>,
    client: reqwest::Client,
}

impl Person {
    /// A browser without a session.
    pub(crate) fn nobody(address: &str) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        // The tests' gateways have certificates of their own making.
        let client = client.danger_accept_invalid_certs(true).build().unwrap();
        let (cookies, csrf, headers) = (BTreeMap::new(), String::new(), Vec::new());
        Self { address: address.trim_end_matches('/').to_owned(), cookies, csrf, headers, client }
    }

    /// Opens the page for signing in and sends its form.
    pub(crate) fn sign_in(&mut self, login: &str, password: &str) -> Page {
        self.get("/sign-in");
        self.post("/sign-in", &[("login", login), ("password", password)])
    }

    /// Opens a page.
    pub(crate) fn get(&mut self, path: &str) -> Page {
        self.send(self.client.get(format!("{}{path}", self.address)))
    }

    /// Sends a body to the JSON API; `Null`: none.
    pub(crate) fn ask(&mut self, path: &str, body: &Value) -> Page {
        let request = self.client.post(format!("{}{path}", self.address));
        self.send(if body.is_null() {
            request
        } else {
            request.header("content-type", "application/json").body(body.to_string())
        })
    }

    /// Sends a form with the token of the page before.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf.clone();
        self.post_bare(path, &[fields, &[("csrf", csrf.as_str())]].concat())
    }

    /// Sends a form with these fields and no other.
    pub(crate) fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(format!("{}{path}", self.address));
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body))
    }

    fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = request;
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let (status, headers, text) = RUNTIME.block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.headers().clone(), answer.text().await.unwrap())
        });
        for line in headers.get_all(SET_COOKIE) {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(token) = text.split("name=\"csrf\" value=\"").nth(1) {
            self.csrf = token.split('"').next().unwrap().to_owned();
        }
        let location = headers.get(LOCATION).map_or("", |v| v.to_str().unwrap()).to_owned();
        Page { status, location, headers, text }
    }
}
