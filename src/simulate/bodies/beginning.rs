//! How a case begins: notice, application, documents, assessment, decision.

use chrono::NaiveDate;

use crate::domain::{MessageId, Timestamp};

use super::{Card, Written, at, begin, day, end, group, name, person, preparer};

/// The notice of an identified citizen.
pub(in crate::simulate) fn identification(
    card: &Card,
    identified: Timestamp,
    emergency: bool,
    organisation: &str,
) -> Written {
    let mut w = begin("identification-notice");
    at(&mut w, "identifiedAt", identified);
    w.leaf("urgency", if emergency { "emergency" } else { "normal" });
    w.leaf("source", "official");
    w.leaf("territory", card.territory);
    w.leaf("kind", card.kind());
    w.leaf("organisation", organisation);
    group(&mut w, "person", |w| name(w, "name", &card.person));
    w.leaf("circumstances", "Вымышленный случай для моделирования.");
    end(w)
}

/// The application, registered at `registered`, with the documents that are needed: kind, holder's role, and whether it is asked for.
pub(in crate::simulate) fn application(
    card: &Card,
    (submitted, registered): (Timestamp, Timestamp),
    today: NaiveDate,
    organisation: &str,
    documents: &[(String, String, bool)],
) -> Written {
    let mut w = begin("application");
    w.leaf("registrationNumber", &card.document(1));
    at(&mut w, "submittedAt", submitted);
    at(&mut w, "registeredAt", registered);
    w.leaf("organisation", organisation);
    w.leaf("territory", card.territory);
    w.leaf("kind", card.kind());
    person(&mut w, "person", &card.person);
    if let Some(child) = &card.child {
        group(&mut w, "family", |w| {
            group(w, "c:members", |w| {
                for (number, role, member) in [("1", "guardian", &card.person), ("2", "child", child)] {
                    group(w, "c:member", |w| {
                        w.leaf("c:number", number);
                        w.leaf("c:role", role);
                        person(w, "c:person", member);
                    });
                }
            });
        });
    }
    group(&mut w, "categories", |w| w.leaf("category", card.category));
    w.leaf("circumstances", "Вымышленный случай для моделирования.");
    group(&mut w, "helpKinds", |w| w.leaf("helpKind", "social"));
    w.leaf("accuracyConfirmed", "true");
    day(&mut w, "filledOn", today);
    group(&mut w, "acceptedBy", |w| {
        w.leaf("name", "Принималова Ольга Выдумовна");
        w.leaf("post", "специалист по социальной работе");
        day(w, "date", today);
    });
    group(&mut w, "processingBasis", |w| {
        group(w, "consent", |w| {
            w.leaf("given", "true");
            day(w, "date", today);
            w.leaf("scope", "Передача сведений участникам социального сопровождения.");
        });
    });
    if !documents.is_empty() {
        group(&mut w, "requiredDocuments", |w| {
            for (kind, holder, asked) in documents {
                group(w, "document", |w| {
                    w.leaf("kind", kind);
                    w.leaf("holderRole", holder);
                    w.leaf("source", if *asked { "request" } else { "citizen" });
                });
            }
        });
    }
    end(w)
}

/// A request for documents of these kinds.
pub(in crate::simulate) fn request(
    card: &Card,
    today: NaiveDate,
    (asker, asked): (&str, &str),
    kinds: &[String],
) -> Written {
    let mut w = begin("document-request");
    w.leaf("outgoingNumber", &card.document(2));
    day(&mut w, "outgoingDate", today);
    w.leaf("requestingBody", asker);
    w.leaf("askedBody", asked);
    w.leaf("gist", "Прошу представить сведения для решения о социальном сопровождении.");
    w.leaf("serviceName", "Признание гражданина нуждающимся в социальном обслуживании");
    w.leaf("legalAct", "Федеральный закон от 28.12.2013 № 442-ФЗ");
    w.leaf("legalArticle", "статья 28");
    person(&mut w, "person", &card.person);
    group(&mut w, "wanted", |w| {
        for kind in kinds {
            group(w, "document", |w| w.leaf("kind", kind));
        }
    });
    preparer(&mut w);
    end(w)
}

/// The answer: every wanted document is provided.
pub(in crate::simulate) fn response(card: &Card, today: NaiveDate, kinds: &[String]) -> Written {
    let mut w = begin("document-response");
    w.leaf("incomingNumber", &card.document(2));
    day(&mut w, "incomingDate", today);
    w.leaf("outgoingNumber", &card.document(3));
    day(&mut w, "outgoingDate", today);
    group(&mut w, "answers", |w| {
        for kind in kinds {
            group(w, "answer", |w| {
                w.leaf("kind", kind);
                w.leaf("outcome", "provided");
                group(w, "provided", |w| {
                    w.leaf("documentNumber", &card.document(4));
                    day(w, "documentDate", today);
                    group(w, "data", |w| {
                        group(w, "field", |w| {
                            w.leaf("name", "summary");
                            w.leaf("title", "Сведения");
                            w.leaf("value", "вымышленные сведения");
                        });
                    });
                });
            });
        }
    });
    preparer(&mut w);
    end(w)
}

/// The withdrawal of a request of the same sender.
pub(in crate::simulate) fn withdrawal(request: MessageId) -> Written {
    let mut w = begin("request-withdrawal");
    w.leaf("request", &request.to_string());
    w.leaf("reason", "Гражданин принёс документ сам.");
    end(w)
}

/// The assessment of the need: two acts and the draft of a decision.
pub(in crate::simulate) fn needs_assessment(
    card: &Card,
    assessed: Timestamp,
    today: NaiveDate,
    recognised: bool,
) -> Written {
    let mut w = begin("needs-assessment");
    at(&mut w, "assessedAt", assessed);
    for (name, index) in [("inspectionAct", 5), ("assessmentAct", 6)] {
        group(&mut w, name, |w| {
            w.leaf("number", &card.document(index));
            day(w, "date", today);
        });
    }
    w.leaf("draftDecision", if recognised { "recognise" } else { "refuse" });
    w.leaf("findings", "Вымышленные выводы обследования.");
    end(w)
}

/// What is decided.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulate) struct Decision {
    pub(in crate::simulate) at: Timestamp,
    /// `ordinary`, `palliative` or `urgent`.
    pub(in crate::simulate) urgency: &'static str,
    pub(in crate::simulate) recognised: bool,
}

/// The decision whether the citizen is in need.
pub(in crate::simulate) fn decision(card: &Card, decided: &Decision) -> Written {
    let mut w = begin("decision");
    w.leaf("number", &card.document(7));
    at(&mut w, "decidedAt", decided.at);
    w.leaf("urgency", decided.urgency);
    w.leaf("outcome", if decided.recognised { "recognised" } else { "refused" });
    w.leaf("needsAccompaniment", if decided.recognised { "true" } else { "false" });
    if decided.recognised {
        at(&mut w, "informedAt", decided.at);
    } else {
        w.leaf("ground", "Обстоятельства не подтвердились.");
    }
    end(w)
}
