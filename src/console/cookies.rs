//! Cookies: few, each with a value that needs no escaping.

use axum::http::{HeaderMap, HeaderValue, header};

/// The cookie with this name.
pub(super) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(own, value)| (own == name).then_some(value))
}

/// How long a browser keeps a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Until the browser is closed.
    Session,
    /// So many seconds; 0 removes it.
    Seconds(u32),
}

/// When a browser sends a cookie with requests that another site has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SameSite {
    /// Only when a person follows a link: a link in a letter opens the page without another sign-in.
    Lax,
    /// Never.
    Strict,
}

/// Sets a cookie that no script reads. `secure`: only over TLS.
pub(super) fn set(to: &mut HeaderMap, name: &str, value: &str, kept: Kept, same_site: SameSite, secure: bool) {
    let mut line = format!("{name}={value}; Path=/; HttpOnly");
    line.push_str(match same_site {
        SameSite::Lax => "; SameSite=Lax",
        SameSite::Strict => "; SameSite=Strict",
    });
    if let Kept::Seconds(seconds) = kept {
        line.push_str(&format!("; Max-Age={seconds}"));
    }
    if secure {
        line.push_str("; Secure");
    }
    // A value that is no header value is none of ours.
    if let Ok(value) = HeaderValue::from_str(&line) {
        to.append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; session=x=y;b=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(
            ["a", "session", "b", "c", "d"].map(|name| read(&headers, name)),
            [Some("1"), Some("x=y"), Some("2"), Some("3"), None]
        );
    }
}
