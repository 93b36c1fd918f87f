use crate::bundle::Files;
use crate::deadline::obligations::fixtures::{
    FILE, YUGRA, calendars, measure, participant, participants, region, yugra,
};
use crate::deadline::{Calendars, CheckInput, Finding, Regulation, Severity, check};
use crate::domain::{Participant, Timestamp};

/// The schemas of the four messages, as far as the rules look into them.
fn schemas() -> Files {
    let declare = |names: &str| -> Vec<u8> {
        let elements: String = names.split(' ').map(|n| format!("<xs:element name=\"{n}\"/>")).collect();
        format!("<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">{elements}</xs:schema>").into_bytes()
    };
    [
        ("application", "submittedAt registeredAt territory kind requiredDocuments document holderRole source"),
        ("document-request", "wanted document kind answerBy"),
        ("document-response", "answers answer kind outcome"),
        ("progress-report", "period cases case caseId"),
    ]
    .map(|(name, elements)| (format!("schemas/social/{name}/1/{name}.xsd"), declare(elements)))
    .into()
}

fn checked(
    regulation: &Regulation,
    people: &[Participant],
    calendars: &Calendars,
    files: &Files,
    now: &str,
) -> Vec<Finding> {
    check(regulation, &CheckInput { participants: people, calendars, files, now: Timestamp::parse(now).unwrap() })
}

const NOW: &str = "2026-01-15T10:00:00+05:00";

#[test]
fn a_whole_region_has_only_the_warnings_it_must_have() {
    let found = checked(&yugra(""), &participants(), &calendars(), &schemas(), NOW);
    assert!(found.iter().all(|f| f.severity == Severity::Warning), "{found:#?}");
    let texts: Vec<&str> = found.iter().map(|f| f.en.as_str()).collect();
    assert!(
        texts
            .iter()
            .any(|t| t.contains("`document-request + document-answer` together are longer than the norm `decision`")),
        "{texts:?}"
    );
    assert!(texts.iter().any(|t| t.contains("calendar `ru`, 2027")), "{texts:?}");
    let off = found
        .iter()
        .find(|f| f.en.contains("`answer`: the version without a date (48 hours) is off: 48 часов"))
        .unwrap();
    assert!(YUGRA.lines().nth(off.line - 1).unwrap().contains("[[term_table.version]]"));
    assert_eq!(texts.len(), 3, "{texts:?}");
    let norm = found.iter().find(|f| f.en.contains("norm")).unwrap();
    assert!(YUGRA.lines().nth(norm.line - 1).unwrap().contains("[[norm]]"));
}

#[test]
fn terms_that_fit_into_the_norm_are_not_warned_about() {
    let text = YUGRA.replace("default = \"5 working days\"", "default = \"4 working days\"");
    let found = checked(&Regulation::parse(FILE, &text).unwrap(), &participants(), &calendars(), &schemas(), NOW);
    assert!(!found.iter().any(|f| f.en.contains("norm")), "{found:#?}");
}

#[test]
fn each_thing_that_does_not_fit_is_found() {
    let mut without_police = participants();
    without_police.retain(|p| p.id.as_str() != "police");
    let mut two_clinics = participants();
    two_clinics.push(participant("clinic", &["health"], "Asia/Yekaterinburg"));
    let mut stranger = participants();
    stranger.push(participant("museum", &["culture"], "Asia/Yekaterinburg"));
    let mut without_schema = schemas();
    without_schema.remove("schemas/social/progress-report/1/progress-report.xsd");
    let mut other_element = schemas();
    let xsd = other_element.get_mut("schemas/social/application/1/application.xsd").unwrap();
    *xsd = String::from_utf8(xsd.clone()).unwrap().replace("holderRole", "holder").into_bytes();
    let off =
        YUGRA.replace("id = \"document-answer\"\ntitle", "id = \"document-answer\"\noff = \"ждёт юриста\"\ntitle");
    let off = Regulation::parse(FILE, &off).unwrap();
    let own = "[[exchange]]\nmessage = \"progress-report\"\n\
               own = { each = \"reports/report\", by = \"whose\", whole = [\"provider\"] }\n";
    let own = YUGRA.replacen("[[exchange]]\nmessage = \"progress-report\"\n", own, 1);
    assert_ne!(own, YUGRA);
    let own = Regulation::parse(FILE, &own).unwrap();
    let (good, people, calendars, files) = (yugra(""), participants(), calendars(), schemas());
    let nobody = yugra(&measure("nobody", "2026-01", "2026-02"));
    let none = Calendars::default();

    let table = [
        (
            checked(&good, &without_police, &calendars, &files, NOW),
            Severity::Error,
            "nobody holds the role `police` in the territory 71876000",
        ),
        (
            checked(&good, &two_clinics, &calendars, &files, NOW),
            Severity::Error,
            "the role `health` in the territory 71876000 is held by health, clinic",
        ),
        (checked(&good, &stranger, &calendars, &files, NOW), Severity::Error, "`museum` holds the role `culture`"),
        (checked(&nobody, &people, &calendars, &files, NOW), Severity::Error, "no participant `nobody`"),
        (
            checked(&good, &people, &calendars, &without_schema, NOW),
            Severity::Error,
            "no schema of the message `progress-report`",
        ),
        (
            checked(&good, &people, &calendars, &other_element, NOW),
            Severity::Error,
            "no element `holderRole` (path `holderRole`)",
        ),
        (checked(&own, &people, &calendars, &files, NOW), Severity::Error, "no element `whose` (path `whose`)"),
        (checked(&good, &people, &none, &files, NOW), Severity::Error, "the calendar `ru` is not loaded"),
        (
            checked(&good, &people, &calendars, &files, "2027-03-01T10:00:00+05:00"),
            Severity::Warning,
            "no data for 2028",
        ),
        (checked(&good, &people, &calendars, &files, "2028-03-01T10:00:00+05:00"), Severity::Error, "no data for 2028"),
        (checked(&off, &people, &calendars, &files, NOW), Severity::Warning, "`document-answer` is off: ждёт юриста"),
    ];
    for (found, severity, expected) in table {
        assert!(found.iter().any(|f| f.severity == severity && f.en.contains(expected)), "{expected}: {found:#?}");
        assert!(found.is_sorted_by_key(|f| std::cmp::Reverse(f.severity)), "errors first");
    }
}

#[test]
fn a_role_that_no_rule_needs_may_be_vacant() {
    let files = crate::bundle::embedded();
    let all = crate::deadline::Regulations::from_files(&files).unwrap();
    let model = all.get("model").unwrap();
    let without = |role: &str| {
        let mut people = region(model);
        people.iter_mut().for_each(|p| p.roles.retain(|h| h.role.as_str() != role));
        checked(model, &people, &calendars(), &files, NOW)
    };
    let severity = |role: &str| {
        let found = without(role);
        found.iter().find(|f| f.en.contains(&format!("nobody holds the role `{role}`"))).unwrap().severity
    };
    // The first two are parties of rules that are on; the others only send and get.
    assert_eq!(["guardianship", "department"].map(severity), [Severity::Error; 2]);
    assert_eq!(["databank", "police", "minors-commission"].map(severity), [Severity::Warning; 3]);
}

#[test]
fn what_article_28_wants_and_the_file_lacks_is_told() {
    let text = YUGRA.replace("[[control]]", "[[mechanism]]").replacen("role = \"police\"\n", "", 1);
    let found = checked(&Regulation::parse(FILE, &text).unwrap(), &participants(), &calendars(), &schemas(), NOW);
    let texts: Vec<&str> = found.iter().map(|f| f.en.as_str()).collect();
    assert!(texts.iter().any(|t| t.contains("art. 28 part 2 point 6") && t.contains("add `[[control]]`")), "{texts:?}");
    let role = found.iter().find(|f| f.en.contains("on what basis the role `police`")).unwrap();
    assert!(text.lines().nth(role.line - 1).unwrap().contains("[[role]]"));
    assert!(found.iter().all(|f| f.severity == Severity::Warning), "{found:#?}");
}

#[test]
fn a_region_wide_holder_serves_every_territory_below() {
    let mut people = participants();
    people[1].roles[0].territories = vec![crate::domain::Oktmo::parse("718").unwrap()];
    let found = checked(&yugra(""), &people, &calendars(), &schemas(), NOW);
    assert!(found.iter().all(|f| f.severity == Severity::Warning), "{found:#?}");
    people.push(participant("clinic", &["health"], "Asia/Yekaterinburg"));
    let found = checked(&yugra(""), &people, &calendars(), &schemas(), NOW);
    assert!(found.iter().any(|f| f.en.contains("held by health, clinic")), "{found:#?}");
}

#[test]
fn the_embedded_regulations_name_only_what_the_embedded_schemas_declare() {
    let files = crate::bundle::embedded();
    let regulations = crate::deadline::Regulations::from_files(&files).unwrap();
    let calendars = Calendars::from_files(&files).unwrap();
    assert!(regulations.get("yugra").is_some() && calendars.get("ru").is_some());
    for regulation in regulations.iter() {
        let found = checked(regulation, &region(regulation), &calendars, &files, NOW);
        assert!(found.iter().all(|f| f.severity == Severity::Warning), "{found:#?}");
        let off = regulation.rules.iter().filter(|r| r.off.is_some()).count();
        let told = found.iter().filter(|f| f.en.starts_with("the rule `") && f.en.contains("is off")).count();
        assert!(off > 0 && told == off, "{}: what is off is listed", regulation.id);
    }
}
