//! One request as a handler sees it: who asks, in which language, and what the layout around every page needs.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::cookies::{self, Kept, SameSite};
use super::errors::Trouble;
use super::fields::Fields;
use super::routes::SECTIONS;
use super::texts::{Lang, Texts};
use super::{assets, words};
use crate::access::{Principal, Right};
use crate::domain::{Timestamp, Zone};
use crate::gateway::Gateway;
use crate::gateway::people::Signed;

pub(super) const LANG_COOKIE: &str = "mezhved-lang";
pub(super) const THEME_COOKIE: &str = "mezhved-theme";
pub(super) const NOTICE_COOKIE: &str = "mezhved-notice";
/// How long a notice waits to be shown.
const NOTICE_SECONDS: u32 = 60;

/// Light, dark, or as the machine says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Theme {
    /// As the machine says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == word)
    }
}

/// One request that the guard let pass.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) gateway: Gateway,
    /// Who asks; `None` on a page for anybody.
    pub(super) signed: Option<Signed>,
    /// The token that forms of this page carry.
    pub(super) csrf: String,
    /// From where.
    pub(super) address: String,
    pub(super) notice: Option<String>,
    /// A cookie for the sign-in form that was made for this answer.
    pub(super) fresh_form: Option<String>,
    /// The host by which the browser came.
    pub(super) host: String,
    lang: Lang,
    theme: Theme,
    uri: Uri,
    query: Fields,
}

impl Visit {
    pub(super) fn new(gateway: Gateway, lang: Lang, theme: Theme, uri: Uri, query: Fields) -> Self {
        Self {
            gateway,
            signed: None,
            csrf: String::new(),
            address: String::new(),
            notice: None,
            fresh_form: None,
            host: String::new(),
            lang,
            theme,
            uri,
            query,
        }
    }

    /// The texts of the reader's language.
    pub(super) fn texts(&self) -> Texts {
        Texts::of(self.lang)
    }

    /// Who asks.
    pub(super) fn signed(&self) -> Result<&Signed, Trouble> {
        self.signed.as_ref().ok_or(Trouble::Forbidden)
    }

    /// What they may and see.
    pub(super) fn principal(&self) -> Result<&Principal, Trouble> {
        Ok(&self.signed()?.principal)
    }

    /// Whether the reader has a right: for what a page offers.
    pub(super) fn may(&self, right: Right) -> bool {
        self.signed.as_ref().is_some_and(|signed| signed.principal.may(right))
    }

    /// The beginning of the console's addresses, as people reach it.
    pub(super) fn origin(&self) -> String {
        let own = &self.gateway.settings().console;
        if !own.public_url.is_empty() {
            return own.public_url.trim_end_matches('/').to_owned();
        }
        format!("{}://{}", if own.is_https() { "https" } else { "http" }, self.host)
    }

    /// The value of the address's query; empty when it is not there.
    pub(super) fn query(&self, name: &str) -> &str {
        self.query.get(name)
    }

    /// The address's path.
    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    /// This address with other values in its query: an empty one goes.
    pub(super) fn with(&self, changes: &[(&str, &str)]) -> String {
        let old = url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes());
        let kept = old.filter(|(name, _)| {
            !matches!(name.as_ref(), "lang" | "theme") && changes.iter().all(|(changed, _)| *changed != name.as_ref())
        });
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept.filter(|(_, value)| !value.is_empty()));
        query.extend_pairs(changes.iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { self.path().to_owned() } else { format!("{}?{query}", self.path()) }
    }

    /// The reader's zone: that of the one participant whose part they see, else the region's.
    pub(super) fn zone(&self) -> Result<Zone, Trouble> {
        let snapshot = self.gateway.snapshot();
        let own = self.signed.as_ref().and_then(|signed| {
            let participants = &signed.principal.scope().participants;
            let one = participants.first().filter(|_| participants.len() == 1)?;
            Some(snapshot.participant(one)?.zone)
        });
        let region = || snapshot.regulations().next().map(|r| r.zone).or_else(|| Zone::parse("Europe/Moscow"));
        own.or_else(region).ok_or_else(|| Trouble::Defect("no zone".to_owned()))
    }

    /// Business time: what deadlines are counted in.
    pub(super) fn business_now(&self) -> Timestamp {
        self.gateway.clock().business_now()
    }

    pub(super) fn has_notice(&self) -> bool {
        self.notice.is_some()
    }

    /// What the layout needs. `section` is the entry of the navigation that is lit.
    pub(super) fn frame(&self, title: &str, section: &str) -> Frame {
        let t = self.texts();
        let nav = SECTIONS.iter().filter(|s| self.may(s.right)).map(|s| NavItem {
            path: s.path,
            label: t.word("nav", s.word),
            current: s.word == section,
        });
        let other = self.lang.other();
        let now = self.business_now();
        let shown = self.zone().ok().map(|zone| (words::instant(t, now, zone), now.in_zone(zone)));
        let (now, now_iso) = shown.unwrap_or_default();
        let next_theme = match self.theme {
            Theme::Auto => Theme::Dark,
            Theme::Dark => Theme::Light,
            Theme::Light => Theme::Auto,
        };
        Frame {
            t,
            title: title.to_owned(),
            nav: nav.collect(),
            login: self.signed.as_ref().map(|s| s.account.login.to_string()).unwrap_or_default(),
            csrf: self.csrf.clone(),
            theme: self.theme.as_str(),
            theme_href: self.chosen("theme", next_theme.as_str()),
            other_lang: other.as_str(),
            other_lang_href: self.chosen("lang", other.as_str()),
            notice: self.notice.as_deref().and_then(|line| Notice::read(line, t)),
            now,
            now_iso,
            demo_time: self.gateway.clock().offset_micros() != 0,
            node: self.gateway.node().to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            assets: assets::version(),
        }
    }

    /// This address with a choice in its query. What was posted cannot be asked for again: then the beginning.
    fn chosen(&self, name: &str, value: &str) -> String {
        let address = self.with(&[]);
        let mark = if address.contains('?') { '&' } else { '?' };
        format!("{address}{mark}{name}={value}")
    }

    /// Goes to another page, which shows a notice: after every act, so that a reload does not repeat it.
    pub(super) fn done(&self, to: &str, kind: NoticeKind, key: &'static str, argument: &str) -> Response {
        let mut response = Redirect::to(to).into_response();
        let value = format!("{}:{key}:{}", kind.as_str(), URL_SAFE_NO_PAD.encode(argument));
        let secure = self.gateway.settings().console.is_https();
        let kept = Kept::Seconds(NOTICE_SECONDS);
        cookies::set(response.headers_mut(), NOTICE_COOKIE, &value, kept, SameSite::Strict, secure);
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Trouble> {
        // Put there by the guard; without it there is no way to a handler.
        parts.extensions.get::<Self>().cloned().ok_or(Trouble::Status(StatusCode::UNAUTHORIZED))
    }
}

/// A rendered page.
pub(super) fn html(page: String) -> Response {
    Html(page).into_response()
}

/// An address of this console only: what else a link could lead to.
pub(super) fn own_address(text: &str) -> &str {
    let bytes = text.as_bytes();
    let own = bytes.first() == Some(&b'/')
        && !matches!(bytes.get(1), Some(b'/' | b'\\'))
        && bytes.iter().all(|b| (0x21..0x7f).contains(b) && *b != b'\\');
    if own { text } else { "/" }
}

/// One entry of the navigation.
pub(super) struct NavItem {
    pub(super) path: &'static str,
    pub(super) label: String,
    pub(super) current: bool,
}

/// What the layout shows around a page: the field `frame` of every page's template.
pub(super) struct Frame {
    pub(super) t: Texts,
    pub(super) title: String,
    pub(super) nav: Vec<NavItem>,
    /// Empty: nobody has signed in.
    pub(super) login: String,
    pub(super) csrf: String,
    pub(super) theme: &'static str,
    pub(super) theme_href: String,
    pub(super) other_lang: &'static str,
    pub(super) other_lang_href: String,
    pub(super) notice: Option<Notice>,
    pub(super) now: String,
    pub(super) now_iso: String,
    pub(super) demo_time: bool,
    pub(super) node: String,
    pub(super) version: &'static str,
    /// Changes with the style sheet and the script, so that browsers may keep them.
    pub(super) assets: &'static str,
}

/// How a notice looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoticeKind {
    /// It was done.
    Good,
    /// It was not done, or not all of it.
    Bad,
}

impl NoticeKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }
}

/// What the act before this page came to.
pub(super) struct Notice {
    pub(super) kind: &'static str,
    pub(super) text: String,
}

impl Notice {
    /// Reads the cookie. It names a text of ours, so that nobody else can put words on a page.
    fn read(line: &str, t: Texts) -> Option<Self> {
        let mut parts = line.splitn(3, ':');
        let (kind, key, argument) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = [NoticeKind::Good, NoticeKind::Bad].into_iter().find(|k| k.as_str() == kind)?.as_str();
        let argument = String::from_utf8(URL_SAFE_NO_PAD.decode(argument).ok()?).ok()?;
        let known = key.starts_with("notice-") && t.has(key);
        known.then(|| Self { kind, text: t.a(key, "what", argument) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_addresses_are_gone_back_to() {
        for (text, own) in [
            ("/", "/"),
            ("/obligations?group=overdue&after=1.2", "/obligations?group=overdue&after=1.2"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\nSet-Cookie: x=y", "/"),
            ("/a b", "/"),
            ("/\u{9}/evil.example", "/"),
            ("/путь", "/"),
        ] {
            assert_eq!(own_address(text), own, "{text:?}");
        }
    }
}
