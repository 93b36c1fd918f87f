//! Which passwords are taken. By NIST SP 800-63B (section 3.1.1.2): length counts, no rules of composition, nothing that is known to be
//! in use everywhere.

use crate::domain::Login;

/// Characters that a password needs at least.
pub const CHARS_MIN: usize = 12;
/// Characters that it may have at most: what is hashed must have an end.
pub const CHARS_MAX: usize = 256;

/// Beginnings of the commonest long passwords and rows of the keyboard, in both alphabets; what is made of one by repeating or by
/// digits at its ends is as easy to guess.
const COMMON: [&str; 40] = [
    "password",
    "passw0rd",
    "p@ssw0rd",
    "parol",
    "пароль",
    "gfhjkm",
    "qwerty",
    "qwertyuiop",
    "йцукен",
    "йцукенгшщзхъ",
    "asdfghjkl",
    "фывапролджэ",
    "zxcvbnm",
    "ячсмитьбю",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "qazwsxedcrfv",
    "123456789",
    "1234567890",
    "0987654321",
    "abcdefgh",
    "абвгдежз",
    "admin",
    "administrator",
    "админ",
    "администратор",
    "operator",
    "оператор",
    "welcome",
    "letmein",
    "iloveyou",
    "changeme",
    "master",
    "dragon",
    "sunshine",
    "princess",
    "football",
    "mezhved",
    "межвед",
    "привет",
];

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weak {
    /// Shorter than [`CHARS_MIN`].
    Short,
    /// Longer than [`CHARS_MAX`].
    Long,
    /// It is the login, or the login with a little beside it.
    Login,
    /// It is among the commonest, or made of one by digits or repeating.
    Common,
}

impl Weak {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Short, Self::Long, Self::Login, Self::Common];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Long => "long",
            Self::Login => "login",
            Self::Common => "common",
        }
    }

    /// For people at a terminal.
    pub fn said(self) -> String {
        match self {
            Self::Short => format!("нужно не меньше {CHARS_MIN} знаков / at least {CHARS_MIN} characters are needed"),
            Self::Long => format!("не больше {CHARS_MAX} знаков / at most {CHARS_MAX} characters"),
            Self::Login => "пароль не может повторять логин / the password must not be the login".to_owned(),
            Self::Common => {
                "это один из самых частых паролей; возьмите несколько несвязанных слов / it is one of the commonest; take some words \
                 that have nothing to do with each other"
                    .to_owned()
            }
        }
    }
}

/// Checks a password that a person chose.
///
/// # Errors
/// Why it is not taken.
pub fn check(password: &str, login: &Login) -> Result<(), Weak> {
    let chars = password.chars().count();
    if chars < CHARS_MIN {
        return Err(Weak::Short);
    }
    if chars > CHARS_MAX {
        return Err(Weak::Long);
    }
    let folded = password.to_lowercase();
    let bare = core(&folded);
    if folded.contains(login.as_str()) && chars < login.as_str().len() + 8 {
        return Err(Weak::Login);
    }
    let one_sign = folded.chars().all(|c| folded.starts_with(c));
    let common = COMMON.iter().any(|word| made_of(&folded, word) || made_of(bare, word));
    if one_sign || common || is_a_run(&folded) { Err(Weak::Common) } else { Ok(()) }
}

/// The text without digits and signs at its ends.
fn core(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// Whether the text is the word again and again, the last one perhaps cut.
fn made_of(text: &str, word: &str) -> bool {
    !text.is_empty() && text.chars().zip(word.chars().cycle()).all(|(a, b)| a == b) && text.len() >= word.len()
}

/// Whether each character follows the one before, such as `abcdefghijkl`.
fn is_a_run(text: &str) -> bool {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let steps: Vec<i64> = codes
        .windows(2)
        .map(|w| match w {
            [a, b] => i64::from(*b) - i64::from(*a),
            _ => 0,
        })
        .collect();
    steps.iter().all(|step| *step == 1) || steps.iter().all(|step| *step == -1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_and_what_everybody_takes_does_not() {
        let login = Login::parse("petrova.anna").unwrap();
        for (password, found) in [
            ("короткий", Err(Weak::Short)),
            ("одиннадцать", Err(Weak::Short)),
            ("petrova.anna", Err(Weak::Login)),
            ("Petrova.Anna2026", Err(Weak::Login)),
            ("aaaaaaaaaaaa", Err(Weak::Common)),
            ("passwordpassword", Err(Weak::Common)),
            ("Password2026!!", Err(Weak::Common)),
            ("qwertyqwerty", Err(Weak::Common)),
            ("йцукенгшщзхъ", Err(Weak::Common)),
            ("123456789012", Err(Weak::Common)),
            ("abcdefghijklm", Err(Weak::Common)),
            ("ПарольПароль1", Err(Weak::Common)),
            ("синий трамвай у моста", Ok(())),
            ("correct horse battery", Ok(())),
            ("парольная фраза длиной", Ok(())),
        ] {
            assert_eq!(check(password, &login), found, "{password}");
        }
        assert_eq!(check(&"ы".repeat(CHARS_MAX + 1), &login), Err(Weak::Long));
    }
}
