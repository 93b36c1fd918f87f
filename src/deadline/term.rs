//! Terms in plain words, and errors that point at the word.
//!
//! ```text
//! term     = "immediately"
//!          | count unit [ "before" ]                  3 working days, 48 hours, 2 weeks before
//!          | "day" N "of" "next" ( "month" | "quarter" )
//!          | "day" N "of" "month" M "next" "year"
//!          | "on" field                               a date in the document
//!          | "until" "age" N
//!          | "least" "of" "(" term { "," term } ")"
//! unit     = "hour(s)" | "working day(s)" | "day(s)" | "week(s)" | "month(s)" | "year(s)"
//! ```

use std::fmt;

/// The largest count of a unit, such as the 3 of `3 days`.
const COUNT_MAX: u32 = 9_999;
/// The most terms inside one `least of`.
const LEAST_PARTS_MAX: usize = 8;
/// How deep `least of` may stand in `least of`.
const LEAST_DEPTH_MAX: usize = 3;
/// The highest age of `until age`.
const AGE_MAX: u32 = 150;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Hours on the clock: sixty minutes each, across weekends and changes of the clock.
    Hour,
    /// Working days of the calendar.
    WorkingDay,
    /// Calendar days.
    Day,
    /// Weeks: seven calendar days.
    Week,
    /// Months, ending on the same number (Civil Code, art. 192).
    Month,
    /// Years, ending on the same number of the same month.
    Year,
}

impl Unit {
    /// The unit's word for a count, as it is written in a term.
    fn word(self, count: u32) -> &'static str {
        let one = count == 1;
        match self {
            Self::Hour => {
                if one {
                    "hour"
                } else {
                    "hours"
                }
            }
            Self::WorkingDay => {
                if one {
                    "working day"
                } else {
                    "working days"
                }
            }
            Self::Day => {
                if one {
                    "day"
                } else {
                    "days"
                }
            }
            Self::Week => {
                if one {
                    "week"
                } else {
                    "weeks"
                }
            }
            Self::Month => {
                if one {
                    "month"
                } else {
                    "months"
                }
            }
            Self::Year => {
                if one {
                    "year"
                } else {
                    "years"
                }
            }
        }
    }
}

/// A number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// How many, from 1.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

/// A term of the law.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// At the event itself.
    Immediately,
    /// So long after the event.
    After(Span),
    /// So long before the date.
    Before(Span),
    /// By this day of the month that follows the event's (or the period's last) month.
    NextMonth {
        /// 1 to 31; a month without it ends earlier.
        day: u32,
    },
    /// By this day of the first month of the quarter that follows.
    NextQuarter {
        /// 1 to 31.
        day: u32,
    },
    /// By this day of this month of the year that follows.
    NextYear {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// On the date that the named field of the document gives.
    On(String),
    /// Until the person whose birth date is the start reaches this age.
    UntilAge(u32),
    /// Whichever of these comes first.
    LeastOf(Vec<Term>),
}

/// A term that does not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermError {
    /// Where the wrong word begins, in characters from 1.
    pub position: usize,
    /// The wrong word; empty when the text ended too early.
    pub word: String,
    /// What may stand there, in Russian.
    pub allowed_ru: String,
    /// What may stand there, in English.
    pub allowed_en: String,
}

impl TermError {
    /// The error in Russian.
    pub fn ru(&self) -> String {
        let Self { position, word, allowed_ru, .. } = self;
        if word.is_empty() {
            format!("срок обрывается на знаке {position}; здесь можно: {allowed_ru}")
        } else {
            format!("срок: слово `{word}` (знак {position}) непонятно; здесь можно: {allowed_ru}")
        }
    }

    /// The error in English.
    pub fn en(&self) -> String {
        let Self { position, word, allowed_en, .. } = self;
        if word.is_empty() {
            format!("the term ends too early at character {position}; allowed here: {allowed_en}")
        } else {
            format!("the term's word `{word}` at character {position} is not understood; allowed here: {allowed_en}")
        }
    }
}

impl fmt::Display for TermError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.ru(), self.en())
    }
}

impl std::error::Error for TermError {}

impl Term {
    /// Whether it is due at the event itself, or may be.
    pub fn has_immediately(&self) -> bool {
        match self {
            Self::Immediately => true,
            Self::LeastOf(terms) => terms.iter().any(Self::has_immediately),
            Self::After(_)
            | Self::Before(_)
            | Self::NextMonth { .. }
            | Self::NextQuarter { .. }
            | Self::NextYear { .. }
            | Self::On(_)
            | Self::UntilAge(_) => false,
        }
    }

    /// Parses a term.
    ///
    /// # Errors
    /// At the first word that does not fit; the error says where it is and what may stand there.
    pub fn parse(text: &str) -> Result<Self, TermError> {
        let mut words = Words::split(text);
        let term = words.term(0)?;
        match words.peek() {
            None => Ok(term),
            Some(_) => Err(words.error_in("конец срока", "the end of the term")),
        }
    }

    /// Whether a roll means something for it: it ends with a day, not at an instant.
    pub fn ends_with_a_day(&self) -> bool {
        match self {
            Self::Immediately => false,
            Self::After(span) | Self::Before(span) => span.unit != Unit::Hour,
            Self::NextMonth { .. }
            | Self::NextQuarter { .. }
            | Self::NextYear { .. }
            | Self::On(_)
            | Self::UntilAge(_) => true,
            Self::LeastOf(terms) => terms.iter().any(Self::ends_with_a_day),
        }
    }

    /// The body fields that it names.
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Self::On(field) => vec![field],
            Self::LeastOf(terms) => terms.iter().flat_map(Self::fields).collect(),
            Self::Immediately
            | Self::After(_)
            | Self::Before(_)
            | Self::NextMonth { .. }
            | Self::NextQuarter { .. }
            | Self::NextYear { .. }
            | Self::UntilAge(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Immediately => f.write_str("immediately"),
            Self::After(Span { count, unit }) => write!(f, "{count} {}", unit.word(*count)),
            Self::Before(Span { count, unit }) => write!(f, "{count} {} before", unit.word(*count)),
            Self::NextMonth { day } => write!(f, "day {day} of next month"),
            Self::NextQuarter { day } => write!(f, "day {day} of next quarter"),
            Self::NextYear { month, day } => write!(f, "day {day} of month {month} next year"),
            Self::On(field) => write!(f, "on {field}"),
            Self::UntilAge(age) => write!(f, "until age {age}"),
            Self::LeastOf(terms) => {
                f.write_str("least of (")?;
                for (i, term) in terms.iter().enumerate() {
                    write!(f, "{}{term}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

impl std::str::FromStr for Term {
    type Err = TermError;
    fn from_str(text: &str) -> Result<Self, TermError> {
        Self::parse(text)
    }
}

impl serde::Serialize for Term {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Term {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// Words and the marks `(`, `)`, `,`, each with its position in characters from 1.
struct Words<'a> {
    words: Vec<(usize, &'a str)>,
    next: usize,
    end: usize,
}

impl<'a> Words<'a> {
    fn split(text: &'a str) -> Self {
        let mut words = Vec::new();
        let mut open: Option<(usize, usize)> = None;
        for (position, (at, c)) in text.char_indices().enumerate() {
            let mark = matches!(c, '(' | ')' | ',');
            if mark || c.is_whitespace() {
                if let Some((start_position, start)) = open.take() {
                    words.push((start_position + 1, text.get(start..at).unwrap_or("")));
                }
                if mark {
                    words.push((position + 1, text.get(at..=at).unwrap_or("")));
                }
            } else if open.is_none() {
                open = Some((position, at));
            }
        }
        if let Some((start_position, start)) = open {
            words.push((start_position + 1, text.get(start..).unwrap_or("")));
        }
        Self { words, next: 0, end: text.chars().count() + 1 }
    }

    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(|(_, word)| *word)
    }

    /// An error at the next word; `allowed` are words of the grammar.
    fn error(&self, allowed: &str) -> TermError {
        self.error_in(allowed, allowed)
    }

    fn error_in(&self, ru: &str, en: &str) -> TermError {
        let (position, word) = self.words.get(self.next).copied().unwrap_or((self.end, ""));
        let word = word.chars().take(40).collect();
        TermError { position, word, allowed_ru: ru.to_owned(), allowed_en: en.to_owned() }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), TermError> {
        if self.take(word) { Ok(()) } else { Err(self.error(word)) }
    }

    fn number(&mut self, from: u32, to: u32) -> Result<u32, TermError> {
        let digits = self.peek().filter(|w| w.bytes().all(|b| b.is_ascii_digit()));
        let number = digits.and_then(|w| w.parse().ok()).filter(|n| (from..=to).contains(n));
        let number = number.ok_or_else(|| {
            self.error_in(&format!("число от {from} до {to}"), &format!("a number from {from} to {to}"))
        })?;
        self.next += 1;
        Ok(number)
    }

    fn term(&mut self, depth: usize) -> Result<Term, TermError> {
        if self.take("immediately") {
            return Ok(Term::Immediately);
        }
        if self.take("day") {
            return self.calendar_day();
        }
        if self.take("on") {
            let field = self.peek().filter(|w| is_field(w));
            let field = field.ok_or_else(|| {
                self.error_in("поле документа, например measureTo", "a field of the body, such as measureTo")
            })?;
            self.next += 1;
            return Ok(Term::On(field.to_owned()));
        }
        if self.take("until") {
            self.expect("age")?;
            return Ok(Term::UntilAge(self.number(1, AGE_MAX)?));
        }
        if self.take("least") {
            return self.least(depth);
        }
        if self.peek().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit())) {
            let span = self.span()?;
            return Ok(if self.take("before") { Term::Before(span) } else { Term::After(span) });
        }
        Err(self.error_in(
            "immediately, число (3 working days), day, on, until, least",
            "immediately, a number (3 working days), day, on, until, least",
        ))
    }

    fn span(&mut self) -> Result<Span, TermError> {
        let count = self.number(1, COUNT_MAX)?;
        let unit = match self.peek() {
            Some("hour" | "hours") => Unit::Hour,
            Some("day" | "days") => Unit::Day,
            Some("week" | "weeks") => Unit::Week,
            Some("month" | "months") => Unit::Month,
            Some("year" | "years") => Unit::Year,
            Some("working") => {
                self.next += 1;
                if !matches!(self.peek(), Some("day" | "days")) {
                    return Err(self.error("day, days"));
                }
                Unit::WorkingDay
            }
            Some(_) | None => return Err(self.error("hours, working days, days, weeks, months, years")),
        };
        self.next += 1;
        Ok(Span { count, unit })
    }

    fn calendar_day(&mut self) -> Result<Term, TermError> {
        let day = self.number(1, 31)?;
        self.expect("of")?;
        if self.take("next") {
            if self.take("month") {
                return Ok(Term::NextMonth { day });
            }
            if self.take("quarter") {
                return Ok(Term::NextQuarter { day });
            }
            return Err(self.error("month, quarter"));
        }
        if self.take("month") {
            let at = self.next;
            let month = self.number(1, 12)?;
            if day > longest(month) {
                self.next = at;
                return Err(self.error_in(
                    &format!("месяц, в котором есть {day}-е число"),
                    &format!("a month that has a day {day}"),
                ));
            }
            self.expect("next")?;
            self.expect("year")?;
            return Ok(Term::NextYear { month, day });
        }
        Err(self.error("next, month"))
    }

    fn least(&mut self, depth: usize) -> Result<Term, TermError> {
        if depth >= LEAST_DEPTH_MAX {
            self.next = self.next.saturating_sub(1);
            return Err(self.error_in(
                &format!("срок без `least of`: вложенность не больше {LEAST_DEPTH_MAX}"),
                &format!("a term without `least of`: it is nested at most {LEAST_DEPTH_MAX} deep"),
            ));
        }
        self.expect("of")?;
        self.expect("(")?;
        let mut terms = vec![self.term(depth + 1)?];
        while self.peek() == Some(",") {
            if terms.len() >= LEAST_PARTS_MAX {
                return Err(self.error_in(
                    &format!("`)`: в `least of` не больше {LEAST_PARTS_MAX} сроков"),
                    &format!("`)`: `least of` takes at most {LEAST_PARTS_MAX} terms"),
                ));
            }
            self.next += 1;
            terms.push(self.term(depth + 1)?);
        }
        if self.peek() != Some(")") {
            return Err(self.error_in("`,` и ещё срок, или `)`", "`,` and another term, or `)`"));
        }
        self.next += 1;
        Ok(Term::LeastOf(terms))
    }
}

/// The month's days in a leap year.
fn longest(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The name of an element of a body: lower camel case.
pub(super) fn is_field(word: &str) -> bool {
    word.len() <= 60
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|b| b.is_ascii_alphanumeric())
}
