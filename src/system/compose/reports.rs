//! What is told of a period.

use chrono::Datelike as _;

use super::{CannotCompose, Desk, Known, Made, Plan, Wanted, line, plan, preparer, text};
use crate::body::codes::{HelpKind, MeasureResult};
use crate::body::inquiry::Figure;
use crate::body::reports::{
    GuardianshipReport, MinistryReport, ProgressReport, ProvidedHelp, ProvisionAct, QuarterlyAnalysis, ReportedCase,
    ReportedMeasure, YearlySummary,
};
use crate::body::{Count, FigureValue, FormError, Month, Number, Quarter, Year};

fn month(desk: &Desk, wanted: &Wanted) -> Result<Month, FormError> {
    let today = || format!("{:04}-{:02}", desk.today.year(), desk.today.month());
    Month::new(wanted.period.clone().unwrap_or_else(today))
}

/// One case with one measure.
pub(super) fn progress_report(desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    let own = |plan: Plan| plan.measures.into_iter().find(|(.., who)| who.as_ref() == Some(&desk.own));
    let measure = plan(known).and_then(own).map(|(number, ..)| number);
    let measure = ReportedMeasure {
        number: Some(measure.map_or_else(|| Number::new("1"), Ok)?),
        title: line("Мероприятие программы")?,
        help_kind: None,
        result: MeasureResult::HelpGiven,
        date: desk.today,
        note: None,
    };
    let case_id = wanted.case.ok_or(CannotCompose::Unknown("the case"))?;
    Ok(ProgressReport {
        outgoing_number: Some(desk.number()?),
        period: month(desk, wanted)?,
        organisation: desk.line()?,
        cases: vec![ReportedCase { case_id, measures: vec![measure] }],
        preparer: Some(preparer()?),
    }
    .into())
}

pub(super) fn provision_act(desk: &Desk, wanted: &Wanted, known: &Known) -> Made {
    Ok(ProvisionAct {
        period: month(desk, wanted)?,
        number: desk.number()?,
        signed_at: desk.at(),
        programme_number: plan(known).map(|p| p.number),
        contract_number: None,
        helps: vec![ProvidedHelp { help_kind: HelpKind::Social, title: None, term: None, volume: None, note: None }],
    }
    .into())
}

/// The reports of a period that hold figures and findings.
pub(super) fn period_report(kind: &str, desk: &Desk, wanted: &Wanted) -> Made {
    let figures = || -> Result<Vec<Figure>, FormError> {
        Ok(vec![Figure { code: line("families")?, value: FigureValue::new("1")? }])
    };
    let findings = text("Вымышленный отчёт.")?;
    let year = desk.today.year();
    Ok(match kind {
        "guardianship-report" => GuardianshipReport { period: month(desk, wanted)?, findings }.into(),
        "ministry-report" => {
            MinistryReport { period: month(desk, wanted)?, organisation: desk.line()?, figures: figures()?, findings }
                .into()
        }
        "quarterly-analysis" => {
            let now = || format!("{year:04}-Q{}", desk.today.month0() / 3 + 1);
            QuarterlyAnalysis {
                quarter: Quarter::new(wanted.period.clone().unwrap_or_else(now))?,
                organisation: desk.line()?,
                families: Count::new(1)?,
                figures: figures()?,
                findings,
            }
            .into()
        }
        _ => YearlySummary {
            year: Year::new(wanted.period.clone().unwrap_or_else(|| format!("{year:04}")))?,
            organisation: desk.line()?,
            figures: figures()?,
            findings,
        }
        .into(),
    })
}
