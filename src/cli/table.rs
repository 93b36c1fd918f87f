//! What commands write to standard output: lines, and listings with columns padded to their widest cell.
//!
//! Writing is fallible: a reader such as `head` may go away, and then the command ends quietly.

use std::io::{self, Write};

/// Writes a line to standard output; the result is to be looked at, unlike that of `println!`.
macro_rules! say {
    ($($arg:tt)*) => { std::io::Write::write_fmt(&mut std::io::stdout().lock(), format_args!("{}\n", format_args!($($arg)*))) };
}

/// The same without a line's end.
macro_rules! say_part {
    ($($arg:tt)*) => { std::io::Write::write_fmt(&mut std::io::stdout().lock(), format_args!($($arg)*)) };
}

/// Prints rows under their heads. Cells are cut at no width: what is shown is whole.
pub(crate) fn print(heads: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let mut widths: Vec<usize> = heads.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = io::stdout().lock();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| -> io::Result<()> {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            let pad = width.saturating_sub(cell.chars().count());
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', pad + 2));
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(&mut heads.iter().copied())?;
    for row in rows {
        line(&mut row.iter().map(String::as_str))?;
    }
    Ok(())
}
