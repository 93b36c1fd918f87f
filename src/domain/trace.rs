//! The place of a message in a trace, as W3C Trace Context writes it (<https://www.w3.org/TR/trace-context/>).

/// The part of `traceparent` that every version begins with: `00-` and 32 and 16 hexadecimal digits, `-` and two more.
const PARENT_CHARS: usize = 55;
/// The longest `tracestate` that is taken; the standard asks for at least so much.
const STATE_CHARS_MAX: usize = 512;
/// Its most members, by the standard.
const STATE_MEMBERS_MAX: usize = 32;
/// The longest key and the longest value of a member, by the standard.
const STATE_WORD_CHARS_MAX: usize = 256;
/// The flags that have a meaning: sampled, and a trace id made at random.
const FLAGS_KNOWN: u8 = 0b11;

/// A trace and the span in it that what follows belongs under. Ids only; what it was taken from was checked and is of a bounded length.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
    state: Option<String>,
}

impl TraceContext {
    /// The name of the header that holds the ids.
    pub const PARENT: &'static str = "traceparent";
    /// The name of the header that holds what other systems add.
    pub const STATE: &'static str = "tracestate";

    /// From ids; none may be zero. A `state` that is not of its form is left out.
    pub fn new(trace: u128, span: u64, flags: u8, state: Option<&str>) -> Option<Self> {
        let state = state.filter(|state| is_state(state)).map(str::to_owned);
        (trace != 0 && span != 0).then_some(Self { trace, span, flags: flags & FLAGS_KNOWN, state })
    }

    /// Reads both headers. `None`: there is no usable `traceparent`, and by the standard the message then has no trace. A `tracestate`
    /// that is too long or not of its form is left out.
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let head = parent.get(..PARENT_CHARS)?;
        let rest = parent.get(PARENT_CHARS..)?;
        let [version, trace, span, flags] = head.split('-').collect::<Vec<_>>().try_into().ok()?;
        let is_hex = |t: &str, len| t.len() == len && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !(is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2)) {
            return None;
        }
        let known = match version {
            "ff" => false,
            "00" => rest.is_empty(),
            // A later version may say more behind a hyphen; what we know of it stands in front.
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let (trace, span) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
        known.then(|| Self::new(trace, span, u8::from_str_radix(flags, 16).ok()?, state)).flatten()
    }

    /// The trace's id.
    pub fn trace(&self) -> u128 {
        self.trace
    }

    /// The span's id.
    pub fn span(&self) -> u64 {
        self.span
    }

    /// The flags.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// The value of `traceparent`.
    pub fn parent(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }

    /// The value of `tracestate`.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The trace's id as people and logs write it.
    pub fn trace_text(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The headers that pass it on.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let state = self.state.clone().map(|state| (Self::STATE, state));
        std::iter::once((Self::PARENT, self.parent())).chain(state)
    }

    /// One line for the store: `traceparent`, and `tracestate` after a space.
    pub fn to_text(&self) -> String {
        match &self.state {
            Some(state) => format!("{} {state}", self.parent()),
            None => self.parent(),
        }
    }

    /// Reads [`TraceContext::to_text`].
    pub fn from_text(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            Some((parent, state)) => Self::parse(parent, Some(state)),
            None => Self::parse(text, None),
        }
    }
}

fn is_state(state: &str) -> bool {
    let members: Vec<&str> = state.split(',').map(|member| member.trim_matches([' ', '\t'])).collect();
    let is_member = |member: &&str| {
        member.is_empty() || member.split_once('=').is_some_and(|(key, value)| is_key(key) && is_value(value))
    };
    !state.is_empty()
        && state.len() <= STATE_CHARS_MAX
        && members.len() <= STATE_MEMBERS_MAX
        && members.iter().all(is_member)
}

fn is_key(key: &str) -> bool {
    let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    let first = key.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first && key.len() <= STATE_WORD_CHARS_MAX && key.bytes().all(inner)
}

fn is_value(value: &str) -> bool {
    let allowed = |b: u8| matches!(b, b' '..=b'~') && b != b',' && b != b'=';
    value.len() <= STATE_WORD_CHARS_MAX && value.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_taken_or_there_is_no_trace() {
        for (parent, taken) in [
            (PARENT, true),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what-comes", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736+00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e47é-00f067aa0ba902b7-01", false),
            ("", false),
        ] {
            assert_eq!(TraceContext::parse(parent, None).is_some(), taken, "{parent}");
        }
    }

    #[test]
    fn what_others_add_is_passed_on_or_left_out() {
        let long = format!("a={}", "x".repeat(257));
        let much = vec!["a=b"; 33].join(",");
        let broad = vec![format!("a={}", "x".repeat(200)); 3].join(",");
        for (state, kept) in [
            ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true),
            ("tenant@vendor=a b", true),
            ("a=1, b=2", true),
            ("", false),
            ("a", false),
            ("A=1", false),
            ("a=б", false),
            ("a=1\r\nx: y", false),
            (long.as_str(), false),
            (much.as_str(), false),
            (broad.as_str(), false),
        ] {
            let context = TraceContext::parse(PARENT, Some(state)).unwrap();
            assert_eq!(context.state(), kept.then_some(state), "{state}");
            assert_eq!(TraceContext::from_text(&context.to_text()), Some(context.clone()), "{state}");
            assert_eq!(context.parent(), PARENT);
            assert_eq!(context.headers().count(), 1 + usize::from(kept));
        }
    }
}
