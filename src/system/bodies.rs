//! Canonical bodies of the demonstration. Every person and organisation is invented; the numbers are of no real person.

use chrono::NaiveDate;

use crate::crypto::sha256;
use crate::domain::{Attachment, MessageType};
use crate::system::protocol::{Application, Report, Request};
use crate::xml::{WriteError, Writer};

const COMMON: &str = "urn:mezhved:common:1";
/// Surgut.
const TERRITORY: &str = "71876000";
const ACT: &str = "Федеральный закон от 28.12.2013 № 442-ФЗ";

struct Person {
    family: &'static str,
    given: &'static str,
    patronymic: &'static str,
    sex: &'static str,
    born: &'static str,
    snils: &'static str,
}

const PEOPLE: [Person; 3] = [
    Person {
        family: "Примерова",
        given: "Анна",
        patronymic: "Тестовна",
        sex: "female",
        born: "1991-03-14",
        snils: "999-000-101 18",
    },
    Person {
        family: "Образцов",
        given: "Пётр",
        patronymic: "Вымыслович",
        sex: "male",
        born: "1948-01-09",
        snils: "999-000-202 22",
    },
    Person {
        family: "Выдумкина",
        given: "Зинаида",
        patronymic: "Примеровна",
        sex: "female",
        born: "1955-06-06",
        snils: "999-000-303 26",
    },
];

/// The invented person of an application.
fn person_of(number: u32) -> &'static Person {
    let [first, second, third] = &PEOPLE;
    match number % 3 {
        1 => first,
        2 => second,
        _ => third,
    }
}

/// A message type of version 1.
pub(super) fn kind(name: &str) -> MessageType {
    MessageType { name: name.to_owned(), version: 1 }
}

fn begin(name: &str) -> Writer {
    let kind = kind(name);
    let mut w = Writer::new();
    w.start(&kind.root(), &[("xmlns", &kind.namespace()), ("xmlns:c", COMMON)]);
    w
}

fn group(w: &mut Writer, name: &str, inside: impl FnOnce(&mut Writer)) {
    w.start(name, &[]);
    inside(w);
    w.end();
}

fn write_person(w: &mut Writer, person: &Person) {
    group(w, "person", |w| {
        group(w, "c:name", |w| {
            w.leaf("c:family", person.family);
            w.leaf("c:given", person.given);
            w.leaf("c:patronymic", person.patronymic);
        });
        w.leaf("c:sex", person.sex);
        w.leaf("c:birthDate", person.born);
        w.leaf("c:snils", person.snils);
    });
}

fn write_preparer(w: &mut Writer) {
    group(w, "preparer", |w| {
        w.leaf("c:name", "Исполнителева Ольга Выдумовна");
        w.leaf("c:post", "специалист");
        w.leaf("c:phone", "+73462000001");
    });
}

/// The application, as the register records it.
pub(super) fn application(a: &Application, today: NaiveDate, organisation: &str) -> Result<Vec<u8>, WriteError> {
    let (day, at) = (today.to_string(), a.registered_at.to_string());
    let mut w = begin("application");
    w.leaf("registrationNumber", &format!("СС-2026/{:06}", a.number));
    w.leaf("submittedAt", &at);
    w.leaf("registeredAt", &at);
    w.leaf("organisation", organisation);
    w.leaf("territory", TERRITORY);
    w.leaf("kind", "individual");
    write_person(&mut w, person_of(a.number));
    group(&mut w, "categories", |w| w.leaf("category", "family-low-income"));
    w.leaf("circumstances", "Вымышленный случай для демонстрации обмена.");
    group(&mut w, "helpKinds", |w| w.leaf("helpKind", "social"));
    w.leaf("accuracyConfirmed", "true");
    w.leaf("filledOn", &day);
    group(&mut w, "acceptedBy", |w| {
        w.leaf("name", "Принималова Ольга Выдумовна");
        w.leaf("post", "специалист по социальной работе");
        w.leaf("date", &day);
    });
    group(&mut w, "processingBasis", |w| {
        group(w, "consent", |w| {
            w.leaf("given", "true");
            w.leaf("date", &day);
            w.leaf("scope", "Передача сведений участникам социального сопровождения.");
        });
    });
    group(&mut w, "requiredDocuments", |w| {
        for document in &a.documents {
            group(w, "document", |w| {
                w.leaf("kind", &document.kind);
                w.leaf("holderRole", &document.holder);
                w.leaf("source", if document.ask { "request" } else { "citizen" });
            });
        }
    });
    w.end();
    w.finish()
}

/// The request, as the register sends it.
pub(super) fn request(
    r: &Request,
    today: NaiveDate,
    organisation: &str,
    outgoing: &str,
) -> Result<Vec<u8>, WriteError> {
    let mut w = begin("document-request");
    w.leaf("outgoingNumber", outgoing);
    w.leaf("outgoingDate", &today.to_string());
    w.leaf("requestingBody", organisation);
    w.leaf("askedBody", &format!("Вымышленное ведомство «{}»", r.to));
    w.leaf("gist", "Прошу представить сведения для решения о социальном сопровождении.");
    w.leaf("serviceName", "Признание гражданина нуждающимся в социальном обслуживании");
    w.leaf("legalAct", ACT);
    w.leaf("legalArticle", "статья 28");
    write_person(&mut w, person_of(r.number));
    group(&mut w, "wanted", |w| {
        for kind in &r.kinds {
            group(w, "document", |w| w.leaf("kind", kind));
        }
    });
    write_preparer(&mut w);
    w.end();
    w.finish()
}

/// A document as a file inside of the envelope.
pub(super) fn file(outgoing: &str) -> Attachment {
    let text = format!("Вымышленный документ для демонстрации, № {outgoing}\n").into_bytes();
    Attachment {
        digest: sha256(&text),
        size_bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
        media_type: "text/plain; charset=utf-8".to_owned(),
        name: "документ.txt".to_owned(),
        inline: Some(text),
        signs: None,
    }
}

/// The report on a month's measure.
pub(super) fn report(r: &Report, today: NaiveDate, organisation: &str, outgoing: &str) -> Result<Vec<u8>, WriteError> {
    let mut w = begin("progress-report");
    w.leaf("outgoingNumber", outgoing);
    w.leaf("period", &r.period);
    w.leaf("organisation", organisation);
    group(&mut w, "cases", |w| {
        group(w, "case", |w| {
            w.leaf("caseId", &r.case.to_string());
            group(w, "measures", |w| {
                group(w, "measure", |w| {
                    w.leaf("number", "1");
                    w.leaf("title", &r.measure);
                    w.leaf("result", "help-given");
                    w.leaf("date", &today.to_string());
                });
            });
        });
    });
    write_preparer(&mut w);
    w.end();
    w.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{AdapterSet, HeaderView};
    use crate::body::Body;
    use crate::bundle;
    use crate::domain::{CaseId, Digest, ParticipantId, Timestamp};
    use crate::schema::Catalogue;
    use crate::system::compose::{Desk, Wanted, compose};
    use crate::system::protocol::{Required, WANTED};
    use crate::xml::{Limits, read};

    fn case() -> CaseId {
        CaseId::parse("01931f6e-7a00-7000-8000-00000000ca5e").unwrap()
    }

    /// The answer to a request, as data or as a file.
    fn response_to(request: &[u8], file: Option<Digest>) -> Vec<u8> {
        let document = read(request, &Limits::default()).unwrap();
        let body = Body::read(&kind("document-request"), document.root()).unwrap().unwrap();
        let desk = Desk {
            organisation: "О".to_owned(),
            own: ParticipantId::parse("health").unwrap(),
            today: NaiveDate::from_ymd_opt(2026, 5, 6).unwrap(),
            now: Timestamp::parse("2026-05-06T09:00:00+05:00").unwrap(),
            outgoing: "2".to_owned(),
        };
        let known = [("document-request".to_owned(), body)].into();
        compose("document-response", &desk, &Wanted { file, ..Wanted::default() }, &known).unwrap().write().unwrap()
    }

    /// Every body that the demonstration sends fits its schema, and every agency's form carries it both ways.
    #[test]
    fn every_body_fits_its_schema_and_every_agencys_form() {
        let files = bundle::embedded();
        let (catalogue, adapters) = (Catalogue::from_files(&files).unwrap(), AdapterSet::from_files(&files).unwrap());
        let today = NaiveDate::from_ymd_opt(2026, 5, 6).unwrap();
        let required = |ask| Required { kind: "medical-conclusion".into(), holder: "health".into(), ask };
        let at = Timestamp::parse("2026-05-06T09:00:00+05:00").unwrap();
        for number in 1..=3 {
            let documents = vec![
                required(true),
                Required { kind: "pension-amount".into(), holder: "social-fund".into(), ask: false },
            ];
            let body = application(&Application { case: case(), number, registered_at: at, documents }, today, "О");
            catalogue.validate(&kind("application"), &body.unwrap()).unwrap();
        }
        for (agency, kinds) in WANTED {
            let to = ParticipantId::parse(agency).unwrap();
            let kinds: Vec<String> = kinds.iter().map(|k| (*k).to_owned()).collect();
            let request =
                request(&Request { case: case(), number: 1, to: to.clone(), kinds: kinds.clone() }, today, "О", "1")
                    .unwrap();
            let response = |file| response_to(&request, file);
            let report = Report { case: case(), period: "2026-05".into(), to, measure: "Помощь".into() };
            for (name, body) in [
                ("document-response", response(None)),
                ("document-response", response(Some(file("2").digest))),
                ("document-request", request.clone()),
                ("progress-report", super::report(&report, today, "О", "3").unwrap()),
            ] {
                let (kind, adapter) = (kind(name), adapters.get(agency).unwrap());
                catalogue.validate(&kind, &body).unwrap();
                let header = HeaderView::sample(&kind);
                let own = adapter.to_partner(&kind, &body, &header).unwrap();
                let back = adapter.to_canonical(&kind, own.as_ref(), &header, &catalogue).unwrap();
                catalogue.validate(&kind, &back).unwrap();
            }
        }
    }
}
