//! What a form sent: its fields and files, read once by the guard, which has looked at the form's token.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, FromRequestParts, Multipart, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};

use super::FORM_BYTES_MAX;
use super::errors::Trouble;

/// The fields of a form in their order. Extracted by a handler of a POST.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    values: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
}

impl Fields {
    /// The value of a field without white space at its ends; empty when it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The value as it was sent: for passwords.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.values.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// All values of a field: check boxes and lists.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.values.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.trim())
    }

    /// The file of a field; `None` when none was chosen.
    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.iter().find(|(own, _)| own == name).map(|(_, bytes)| bytes.as_slice()).filter(|b| !b.is_empty())
    }

    /// From pairs, for a query.
    pub(super) fn of_query(query: &str) -> Self {
        let values = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { values, files: Vec::new() }
    }

    /// Reads a form of either encoding.
    pub(super) async fn read(request: Request) -> Result<(Parts, Self), Trouble> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let is_multipart = kind.starts_with("multipart/form-data");
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, FORM_BYTES_MAX).await.map_err(|_| Trouble::Status(StatusCode::PAYLOAD_TOO_LARGE))?;
        if is_form {
            let values = url::form_urlencoded::parse(&bytes).into_owned().collect();
            return Ok((parts, Self { values, files: Vec::new() }));
        }
        if !is_multipart {
            return Err(Trouble::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let again = Request::from_parts(parts.clone(), Body::from(bytes));
        Ok((parts, Self::multipart(again).await.ok_or(Trouble::Status(StatusCode::BAD_REQUEST))?))
    }

    async fn multipart(request: Request) -> Option<Self> {
        let mut form = Multipart::from_request(request, &()).await.ok()?;
        let mut fields = Self::default();
        while let Some(field) = form.next_field().await.ok()? {
            let name = field.name()?.to_owned();
            let is_file = field.file_name().is_some();
            let bytes = field.bytes().await.ok()?;
            if is_file {
                fields.files.push((name, bytes.to_vec()));
            } else {
                fields.values.push((name, String::from_utf8(bytes.to_vec()).ok()?));
            }
        }
        Some(fields)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Fields {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Trouble> {
        parts.extensions.get::<Self>().cloned().ok_or(Trouble::Status(StatusCode::BAD_REQUEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(kind: &str, body: &'static str) -> Result<Fields, Trouble> {
        let request = Request::post("/").header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        Fields::read(request).await.map(|(_, fields)| fields)
    }

    #[tokio::test]
    async fn both_encodings_of_a_form_are_read() {
        let fields = read("application/x-www-form-urlencoded", "a=%D0%B6+&b=1&b=2").await.unwrap();
        assert_eq!((fields.get("a"), fields.raw("a"), fields.get("c")), ("ж", "ж ", ""));
        assert_eq!(fields.all("b").collect::<Vec<_>>(), ["1", "2"]);
        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nж\r\n--x\r\n\
                    Content-Disposition: form-data; name=\"f\"; filename=\"../../etc/passwd\"\r\n\r\nPEM\r\n--x--\r\n";
        let fields = read("multipart/form-data; boundary=x", body).await.unwrap();
        assert_eq!((fields.get("a"), fields.file("f"), fields.file("g")), ("ж", Some(&b"PEM"[..]), None));
        for (kind, body) in [("text/plain", "a=1"), ("multipart/form-data; boundary=y", body), ("", "")] {
            assert!(read(kind, body).await.is_err(), "{kind}");
        }
    }
}
