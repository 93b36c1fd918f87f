//! The grounds on which a case may end: `[[case.ground]]`.

use super::Source;
use super::parse::source;
use super::rules::Names;
use crate::deadline::reader::{Problem, Table};
use crate::domain::RoleCode;

/// A ground that the regulation knows for ending a case.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CaseGround {
    /// Its code of the list `termination-reasons`, as the closing message says it in `ground`.
    pub code: String,
    /// Where it is written.
    pub source: Source,
    /// Where it stands in the file.
    pub line: usize,
}

/// Reads the grounds of a case, each once.
pub(super) fn read(case: &Table<'_, '_>, names: &Names) -> Vec<CaseGround> {
    let mut grounds: Vec<CaseGround> = Vec::new();
    for table in case.tables("ground") {
        let line = table.line();
        let code = table.need_parsed("code", |text| {
            if grounds.iter().any(|known| known.code == text) {
                return Err(Problem::new(
                    format!("основание `{text}` названо дважды; оставьте одно"),
                    format!("the ground `{text}` is named twice; keep one"),
                ));
            }
            // Codes of all lists have one form.
            RoleCode::parse(text)
                .map(|_| text.to_owned())
                .map_err(|e| Problem::new(format!("`{text}`: не код справочника"), e.to_string()))
        });
        let source = source(&table, names);
        if let (Some(()), Some(code), Some(source)) = (table.finish(), code, source) {
            grounds.push(CaseGround { code, source, line });
        }
    }
    grounds
}
