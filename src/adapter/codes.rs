//! Code lists: CSV files that pair our codes with the partner's.

use std::collections::{BTreeMap, BTreeSet};

use super::{AdapterError, AdapterErrorKind};

/// The code lists of one adapter by name.
#[derive(Debug, Default)]
pub(super) struct CodeLists {
    lists: BTreeMap<String, CodeList>,
}

/// One list. Columns: the two of codes (an adapter's `canonical` and `partner`), optional `way` (`both`, the default, `out` or `in`), and any others for people.
#[derive(Debug, Default)]
struct CodeList {
    /// The two columns of codes.
    columns: (String, String),
    out: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

/// Why a code was not translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CodeProblem {
    NoList,
    NoCode,
}

impl CodeLists {
    /// Reads a list and adds it.
    pub(super) fn add(
        &mut self,
        name: &str,
        (file, bytes): (&str, &[u8]),
        columns: (&str, &str),
    ) -> Result<(), AdapterError> {
        self.lists.insert(name.to_owned(), CodeList::read(file, bytes, columns)?);
        Ok(())
    }

    /// Whose codes a list is asked with on the way there or back: the words that go before a code.
    pub(super) fn side(&self, list: &str, there: bool) -> String {
        let column = self.lists.get(list).map(|l| if there { l.columns.0.as_str() } else { l.columns.1.as_str() });
        match column {
            Some("partner") => "partner's".to_owned(),
            Some(version) if version.bytes().all(|b| b.is_ascii_digit()) => format!("version {version}'s"),
            Some(other) => other.to_owned(),
            None => String::new(),
        }
    }

    /// The partner's code for ours.
    pub(super) fn out(&self, list: &str, code: &str) -> Result<&str, CodeProblem> {
        let list = self.lists.get(list).ok_or(CodeProblem::NoList)?;
        list.out.get(code).map(String::as_str).ok_or(CodeProblem::NoCode)
    }

    /// Our code for the partner's.
    pub(super) fn back(&self, list: &str, code: &str) -> Result<&str, CodeProblem> {
        let list = self.lists.get(list).ok_or(CodeProblem::NoList)?;
        list.back.get(code).map(String::as_str).ok_or(CodeProblem::NoCode)
    }
}

impl CodeList {
    fn read(file: &str, bytes: &[u8], (first, second): (&str, &str)) -> Result<Self, AdapterError> {
        let wrong = |line: Option<u64>, reason: String| {
            let line = line.and_then(|l| usize::try_from(l).ok());
            AdapterError::new(AdapterErrorKind::Folder, file, line, reason)
        };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(bytes);
        let headers = reader.headers().map_err(|e| wrong(Some(1), e.to_string()))?.clone();
        let column = |name: &str| headers.iter().position(|h| h == name);
        let (Some(canonical), Some(partner)) = (column(first), column(second)) else {
            return Err(wrong(Some(1), format!("the columns `{first}` and `{second}` are needed")));
        };
        let way = column("way");
        let mut list = Self { columns: (first.to_owned(), second.to_owned()), ..Self::default() };
        let mut seen = BTreeSet::new();
        for record in reader.records() {
            let record = record.map_err(|e| wrong(e.position().map(csv::Position::line), e.to_string()))?;
            let line = record.position().map(csv::Position::line);
            let cell = |index: usize| record.get(index).unwrap_or("").to_owned();
            let (ours, theirs) = (cell(canonical), cell(partner));
            if ours.is_empty() || theirs.is_empty() {
                return Err(wrong(line, "a code is empty".to_owned()));
            }
            let (out, back) = match way.map(cell).as_deref() {
                None | Some("" | "both") => (true, true),
                Some("out") => (true, false),
                Some("in") => (false, true),
                Some(_) => return Err(wrong(line, "`way` must be `both`, `out` or `in`".to_owned())),
            };
            if out && !seen.insert((true, ours.clone())) {
                return Err(wrong(
                    line,
                    format!("the code `{ours}` is there twice in `{first}`; mark one of the rows `in`"),
                ));
            }
            if back && !seen.insert((false, theirs.clone())) {
                return Err(wrong(
                    line,
                    format!("the code `{theirs}` is there twice in `{second}`; mark one of the rows `out`"),
                ));
            }
            if out {
                list.out.insert(ours.clone(), theirs.clone());
            }
            if back {
                list.back.insert(theirs, ours);
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_both_ways_unless_a_row_says_otherwise() {
        let mut lists = CodeLists::default();
        lists
            .add(
                "l",
                ("l.csv", "canonical,partner,way,title\na,1,,x\nb,2,both,y\nc,2,out,z\nd,4,in,\n".as_bytes()),
                ("canonical", "partner"),
            )
            .unwrap();
        assert_eq!(lists.out("l", "c"), Ok("2"));
        assert_eq!(lists.back("l", "2"), Ok("b"));
        assert_eq!(lists.back("l", "4"), Ok("d"));
        assert_eq!(lists.out("l", "d"), Err(CodeProblem::NoCode));
        assert_eq!(lists.out("m", "a"), Err(CodeProblem::NoList));
    }

    #[test]
    fn a_list_that_is_ambiguous_names_its_line() {
        for (text, line, reason) in [
            ("canonical,other\na,b\n", 1, "columns"),
            ("canonical,partner\na,1\na,2\n", 3, "`a` is there twice"),
            ("canonical,partner\na,1\nb,1\n", 3, "`1` is there twice"),
            ("canonical,partner\na,\n", 2, "empty"),
            ("canonical,partner,way\na,1,back\n", 2, "`way`"),
            ("canonical,partner\na,1,2\n", 2, ""),
        ] {
            let error =
                CodeLists::default().add("l", ("codes/l.csv", text.as_bytes()), ("canonical", "partner")).unwrap_err();
            assert_eq!(error.line, Some(line), "{text}: {error}");
            assert!(error.reason.contains(reason), "{error}");
        }
    }
}
