//! The way to the gateway over HTTP.

use mezhved::crypto::Certificate;
use mezhved::envelope::technical::{FaultReport, Receipt};
use reqwest::header::HeaderMap;

use super::opened::Opened;

/// A client that waits long enough for a busy machine, and goes through no proxy.
pub(super) fn client() -> reqwest::Client {
    let timeout = std::time::Duration::from_secs(60);
    reqwest::Client::builder().no_proxy().timeout(timeout).build().unwrap()
}

/// A client with the gateway's address and certificate.
#[derive(Clone)]
pub(crate) struct Wire {
    client: reqwest::Client,
    base: String,
    gateway: Certificate,
}

impl Wire {
    pub(super) fn new(client: reqwest::Client, base: &str, gateway: Certificate) -> Self {
        Self { client, base: base.to_owned(), gateway }
    }

    /// The way to an address, with a client of its own.
    pub(crate) fn at(base: &str, gateway: Certificate) -> Self {
        Self::new(client(), base, gateway)
    }

    /// Posts to a path.
    pub(crate) async fn post(&self, path: &str, bytes: Vec<u8>) -> Result<Answer, reqwest::Error> {
        let request = self.client.post(format!("{}{path}", self.base)).header("content-type", "application/xml");
        self.answer(request.body(bytes)).await
    }

    /// Gets a path, with a ticket or without.
    pub(crate) async fn get(&self, path: &str, ticket: Option<&str>) -> Result<Answer, reqwest::Error> {
        let request = self.client.get(format!("{}{path}", self.base));
        self.answer(match ticket {
            Some(ticket) => request.bearer_auth(ticket),
            None => request,
        })
        .await
    }

    /// Puts to a path with a ticket, as the body comes.
    pub(crate) async fn put(&self, path: &str, ticket: &str, body: reqwest::Body) -> Result<Answer, reqwest::Error> {
        let request = self.client.put(format!("{}{path}", self.base)).bearer_auth(ticket);
        self.answer(request.body(body)).await
    }

    /// A request of this client's, for what the others do not do.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// `HOST:PORT` of the gateway.
    pub(crate) fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, bytes: response.bytes().await?.to_vec(), gateway: self.gateway.clone() })
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    gateway: Certificate,
}

impl Answer {
    /// The answer as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The answer as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("no JSON ({e}): {} {}", self.status, self.text()))
    }

    /// The signed envelope inside, verified by the gateway's certificate.
    pub(crate) fn opened(&self) -> Opened {
        Opened::read(&self.bytes, &self.gateway)
            .unwrap_or_else(|fault| panic!("no envelope of the gateway ({fault}): {} {}", self.status, self.text()))
    }

    /// The receipt inside; the answer must be one.
    pub(crate) fn receipt(&self) -> Receipt {
        assert_eq!(self.status, 200, "{}", self.text());
        self.opened().technical()
    }

    /// The fault inside; the answer must be one.
    pub(crate) fn fault(&self) -> FaultReport {
        assert_ne!(self.status, 200, "{}", self.text());
        self.opened().technical()
    }
}
