//! Webhooks: a JSON body posted to another system, signed by the convention of Standard Webhooks.
//!
//! `webhook-id` is the same in every attempt, `webhook-timestamp` is the attempt's own second, and `webhook-signature` is `v1,` and the
//! base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`.

use axum::http::header;
use base64::Engine as _;

use super::Push;
use super::push::{reason, usable};
use crate::crypto::{CryptoError, hmac_sha256};
use crate::domain::{MailingId, ParkReason, Timestamp, chain};
use crate::transport::Outcome;

/// One call.
#[derive(Debug, Clone)]
pub struct Hook {
    /// By what the receiver knows it again.
    pub id: MailingId,
    /// When it is sent (machine time).
    pub at: Timestamp,
    /// The JSON body.
    pub body: Vec<u8>,
}

impl Hook {
    fn seconds(&self) -> i64 {
        self.at.micros().div_euclid(1_000_000)
    }

    fn signature(&self, key: &[u8]) -> Result<String, CryptoError> {
        let head = format!("{}.{}.", self.id, self.seconds());
        let mac = hmac_sha256(key, &[head.as_bytes(), &self.body].concat())?;
        Ok(format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(mac)))
    }
}

impl Push {
    /// Posts a webhook, signed with this key. 2xx is [`Outcome::Sent`], whatever its body; every other status is `PartnerError`, and
    /// what keeps the call from an answer is named as in [`Push::push`].
    pub async fn call(&self, url: &str, hook: &Hook, key: &[u8]) -> Outcome {
        let url = match usable(url, self.insecure_allowed) {
            Ok(url) => url,
            Err(problem) => return Outcome::failed(ParkReason::RouteMissing, problem),
        };
        let signature = match hook.signature(key) {
            Ok(signature) => signature,
            Err(error) => return Outcome::failed(ParkReason::SigningFailed, chain(&error)),
        };
        let request = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", hook.id.to_string())
            .header("webhook-timestamp", hook.seconds().to_string())
            .header("webhook-signature", signature)
            .body(hook.body.clone());
        match request.send().await {
            Ok(response) => match self.judge(response).await {
                Outcome::Answered { status, .. } => Outcome::failed(ParkReason::PartnerError, format!("HTTP {status}")),
                outcome @ (Outcome::Sent { .. } | Outcome::Failed { .. }) => outcome,
            },
            Err(error) => Outcome::failed(reason(&error), chain(&error.without_url())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_convention() {
        // Reckoned with Python's hmac module.
        let hook = Hook {
            id: MailingId::parse("01931f6e-7a00-7000-8000-000000000001").unwrap(),
            at: Timestamp::from_micros(1_614_265_330_999_999),
            body: br#"{"test": 2432232314}"#.to_vec(),
        };
        let signature = hook.signature(b"01234567890123456789012345678901").unwrap();
        assert_eq!(signature, "v1,gTmFCM+TamMjnhRRpoQHz1Ag/GOOR5x39pFdYsBxQGk=");
    }
}
