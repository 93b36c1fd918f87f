//! What is told of a month, a quarter, a year.

use chrono::NaiveDate;

use crate::deadline::Month;
use crate::domain::CaseId;

use super::{Card, Written, begin, day, end, group, preparer};

/// The report of one organisation on the measures of a month in several cases.
pub(in crate::simulate) fn progress_report(
    month: Month,
    organisation: &str,
    today: NaiveDate,
    cases: &[CaseId],
) -> Written {
    let mut w = begin("progress-report");
    w.leaf("period", &month.to_string());
    w.leaf("organisation", organisation);
    group(&mut w, "cases", |w| {
        for case in cases {
            group(w, "case", |w| {
                w.leaf("caseId", &case.to_string());
                group(w, "measures", |w| {
                    group(w, "measure", |w| {
                        w.leaf("number", "1");
                        w.leaf("title", "Мероприятие социального сопровождения");
                        w.leaf("result", "help-given");
                        day(w, "date", today.min(month.last_day()));
                    });
                });
            });
        }
    });
    preparer(&mut w);
    end(w)
}

/// The analysis of a quarter (`2026-Q1`).
pub(in crate::simulate) fn quarterly_analysis(quarter: &str, organisation: &str, families: usize) -> Written {
    let mut w = begin("quarterly-analysis");
    w.leaf("quarter", quarter);
    w.leaf("organisation", organisation);
    w.leaf("families", &families.to_string());
    group(&mut w, "figures", |w| {
        group(w, "figure", |w| {
            w.leaf("code", "families");
            w.leaf("value", &families.to_string());
        });
    });
    w.leaf("findings", "Вымышленный анализ.");
    end(w)
}

/// The summary of a year.
pub(in crate::simulate) fn yearly_summary(year: i32, organisation: &str, families: usize) -> Written {
    let mut w = begin("yearly-summary");
    w.leaf("year", &year.to_string());
    w.leaf("organisation", organisation);
    group(&mut w, "figures", |w| {
        group(w, "figure", |w| {
            w.leaf("code", "families");
            w.leaf("value", &families.to_string());
        });
    });
    w.leaf("findings", "Вымышленное обобщение.");
    end(w)
}

/// The report to the ministry on a month.
pub(in crate::simulate) fn ministry_report(month: Month, organisation: &str, families: usize) -> Written {
    let mut w = begin("ministry-report");
    w.leaf("period", &month.to_string());
    w.leaf("organisation", organisation);
    group(&mut w, "figures", |w| {
        group(w, "figure", |w| {
            w.leaf("code", "families");
            w.leaf("value", &families.to_string());
        });
    });
    w.leaf("findings", "Вымышленный отчёт.");
    end(w)
}

/// The act on what was provided in a month.
pub(in crate::simulate) fn provision_act(card: &Card, month: Month, signed: crate::domain::Timestamp) -> Written {
    let mut w = begin("provision-act");
    w.leaf("period", &month.to_string());
    w.leaf("number", &card.document(12));
    super::at(&mut w, "signedAt", signed);
    group(&mut w, "helps", |w| group(w, "help", |w| w.leaf("helpKind", "social")));
    end(w)
}

/// The word to the guardianship authority on a month.
pub(in crate::simulate) fn guardianship_report(month: Month) -> Written {
    let mut w = begin("guardianship-report");
    w.leaf("period", &month.to_string());
    w.leaf("findings", "Вымышленные сведения о ходе сопровождения.");
    end(w)
}
