//! What `mezhved account` asks for: a password, typed twice at a terminal, or one line of standard input.

use std::io::{BufRead as _, IsTerminal as _};

use super::Failure;
use crate::access::password;
use crate::domain::{Login, Timestamp};

/// Bytes of one line that is looked at.
const LINE_BYTES_MAX: u64 = 4096;

/// A password that the rules take.
pub(super) fn read_password(login: &Login) -> Result<String, Failure> {
    let typed = if std::io::stdin().is_terminal() { asked()? } else { piped()? };
    password::check(&typed, login).map_err(|weak| Failure::new(format!("пароль / password: {}", weak.said())))?;
    Ok(typed)
}

fn asked() -> Result<String, Failure> {
    let first = rpassword::prompt_password("пароль / password: ")?;
    let again = rpassword::prompt_password("ещё раз / again: ")?;
    if first == again {
        Ok(first)
    } else {
        Err(Failure::new("пароли не совпали / the passwords differ"))
    }
}

fn piped() -> Result<String, Failure> {
    use std::io::Read as _;
    let mut line = String::new();
    std::io::stdin().lock().take(LINE_BYTES_MAX).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// An instant for a table's cell.
pub(super) fn timestamp(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| at.to_string())
}
