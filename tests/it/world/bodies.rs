//! Bodies of messages, made of the published samples.

use mezhved::domain::{CaseId, Timestamp};

const REQUEST: &str = include_str!("../../../schemas/social/document-request/1/samples/minimal.xml");
const RESPONSE: &str = include_str!("../../../schemas/social/document-response/1/samples/minimal.xml");
const APPLICATION: &str = include_str!("../../../schemas/social/application/1/samples/minimal.xml");
const PROGRESS_REPORT: &str = include_str!("../../../schemas/social/progress-report/1/samples/minimal.xml");
const HEALTH_RESPONSE: &str = include_str!("../../../adapters/health/samples/document-response/minimal.partner.xml");

/// The kind of document that the samples name.
const SAMPLE_KIND: &str = "criminal-record";

/// What in the samples is personal, and so must be on no page and in no log.
pub(crate) const PERSONAL: [&str; 4] = ["Образцов", "999-000-202 22", "1948-01-09", "Принималова"];

/// A request for one kind of document.
pub(crate) fn request(kind: &str) -> String {
    replaced(REQUEST, SAMPLE_KIND, kind)
}

/// The answer that there is no such information.
pub(crate) fn response(kind: &str) -> String {
    replaced(RESPONSE, SAMPLE_KIND, kind)
}

/// The same answer in the form of the health authority (FHIR).
pub(crate) fn health_response(kind: &str) -> String {
    replaced(HEALTH_RESPONSE, SAMPLE_KIND, kind)
}

/// An application registered at an instant, with documents to be requested: their kinds and the roles of their holders.
pub(crate) fn application(registered_at: Timestamp, documents: &[(&str, &str)]) -> String {
    let document = |(kind, role): &(&str, &str)| {
        format!("<document><kind>{kind}</kind><holderRole>{role}</holderRole><source>request</source></document>")
    };
    let documents: String = documents.iter().map(document).collect();
    let dated =
        replaced(APPLICATION, "2026-05-07T04:00:00Z", &registered_at.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let dated = replaced(&dated, "2026-05-07", &registered_at.utc().format("%Y-%m-%d").to_string());
    if documents.is_empty() {
        return dated;
    }
    replaced(&dated, "</Application>", &format!("<requiredDocuments>{documents}</requiredDocuments></Application>"))
}

/// A report for one case and month that help was given on a day.
pub(crate) fn progress_report(case: CaseId, month: &str, day: &str) -> String {
    let reported = replaced(PROGRESS_REPORT, "01931f6e-7a00-7000-8000-00000000ca5e", &case.to_string());
    replaced(&replaced(&reported, "2026-05-29", day), ">2026-05<", &format!(">{month}<"))
}

/// Like [`str::replace`], but what is not there is a defect of the test.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from} in: {text}");
    text.replace(from, to)
}
