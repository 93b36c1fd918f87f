//! The check of a regulation's descriptive parts: what article 28 wants and the file does not say.

use super::{Finding, Regulation, Severity};

/// Points of article 28 about which nothing is said, and roles whose basis nobody named. Warnings only: an exchange works
/// without them.
pub(super) fn check(regulation: &Regulation) -> Vec<Finding> {
    let warn = |line: usize, ru: String, en: String| Finding {
        severity: Severity::Warning,
        file: regulation.file.clone(),
        line,
        column: 0,
        ru,
        en,
    };
    let missing = regulation.order.missing().into_iter().map(|point| {
        let (number, part) = (point.number, point.part);
        warn(
            0,
            format!("п. {number} ч. 2 ст. 28 442-ФЗ ({}): в файле об этом ничего нет; добавьте `{part}`", point.ru),
            format!(
                "art. 28 part 2 point {number} of 442-FZ ({}): the file says nothing of it; add `{part}`",
                point.en
            ),
        )
    });
    let mut findings: Vec<Finding> = missing.collect();
    if !regulation.order.bodies.is_empty() {
        let nameless = regulation.roles.iter().filter(|r| regulation.order.of_role(&r.code).next().is_none());
        findings.extend(nameless.map(|role| {
            let code = &role.code;
            warn(
                role.line,
                format!(
                    "на каком основании участвует роль `{code}`, не сказано; добавьте [[body]] с role = \"{code}\""
                ),
                format!(
                    "on what basis the role `{code}` takes part is not said; add a [[body]] with role = \"{code}\""
                ),
            )
        }));
    }
    findings
}
