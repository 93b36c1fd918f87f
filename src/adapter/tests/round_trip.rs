//! What every form carries comes back as it was.

use proptest::prelude::*;

use super::*;
use crate::adapter::golden::xml_lines;

/// Text as people and scripts write it, with everything that templates and markup could trip over.
fn text() -> impl Strategy<Value = String> {
    "[а-яёА-Я<>&\"'\\\\{}%#\\]a-z0-9_=/][а-яА-Я <>&\"'\\\\{}%#\\]a-z0-9_=/]{0,20}[а-яА-Я<>&\"'\\\\{}%#\\]a-z0-9_=/]"
}

fn answer(kind: &'static str) -> impl Strategy<Value = String> {
    let provided =
        (proptest::option::of(text()), proptest::collection::vec((text(), proptest::option::of(text())), 0..3))
            .prop_map(move |(number, fields)| {
                let number =
                    number.map(|n| format!("<documentNumber>{}</documentNumber>", escape(&n))).unwrap_or_default();
                let content = if fields.is_empty() {
                    "<attachment>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</attachment>".repeat(2)
                } else {
                    let field = |(value, title): &(String, Option<String>)| {
                        let title = title.as_ref().map(|t| format!("<title>{}</title>", escape(t))).unwrap_or_default();
                        format!(
                            "<field><name>f</name>{title}<value>{}\n{}</value></field>",
                            escape(value),
                            escape(value)
                        )
                    };
                    format!("<data>{}</data>", fields.iter().map(field).collect::<String>())
                };
                format!("<outcome>provided</outcome><provided>{number}{content}</provided>")
            });
    let other = prop_oneof![
        Just("<outcome>no-information</outcome>".to_owned()),
        Just("<outcome>refused</outcome><ground>no-legal-basis</ground>".to_owned()),
    ];
    (prop_oneof![provided, other], proptest::option::of(text())).prop_map(move |(outcome, note)| {
        let note = note.map(|n| format!("<note>{}</note>", escape(&n))).unwrap_or_default();
        format!("<answer><kind>{kind}</kind>{outcome}{note}</answer>")
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An element, if there is a value.
fn element(name: &str, value: Option<&str>) -> String {
    value.map(|v| format!("<{name}>{}</{name}>", escape(v))).unwrap_or_default()
}

fn address(name: &'static str) -> impl Strategy<Value = String> {
    let part = || proptest::option::of("[0-9А-Я/&]{1,6}");
    let line = || proptest::option::of(text());
    (proptest::bool::ANY, line(), text(), line(), part(), part(), part()).prop_map(
        move |(codes, region, locality, street, house, building, apartment)| {
            let (postal, oktmo) = if codes { (Some("628400"), Some("71876000")) } else { (None, None) };
            let parts = [
                element("c:postalCode", postal),
                element("c:oktmo", oktmo),
                element("c:region", region.as_deref()),
                element("c:locality", Some(&locality)),
                element("c:street", street.as_deref()),
                element("c:house", house.as_deref()),
                element("c:building", building.as_deref()),
                element("c:apartment", apartment.as_deref()),
            ];
            format!("<c:{name}>{}</c:{name}>", parts.concat())
        },
    )
}

fn person() -> impl Strategy<Value = String> {
    let some = proptest::option::of::<BoxedStrategy<String>>;
    let document = (some(text().boxed()), some(Just("2010-02-28".to_owned()).boxed())).prop_map(|(by, at)| {
        let (by, at) = (element("c:issuedBy", by.as_deref()), element("c:issuedAt", at.as_deref()));
        format!(
            "<c:identityDocument><c:kind>foreign-passport</c:kind><c:number>A1</c:number>{by}{at}</c:identityDocument>"
        )
    });
    (
        some(Just("Образцович".to_owned()).boxed()),
        proptest::bool::ANY,
        proptest::collection::vec(document, 0..3),
        some(address("residenceAddress").boxed()),
        some(address("stayAddress").boxed()),
        0..3usize,
        0..2usize,
    )
        .prop_map(|(patronymic, female, documents, home, stay, phones, emails)| {
            let contacts = "<c:phone>+73462000101;ext=7</c:phone>".repeat(phones) + &"<c:email>a@example.org</c:email>".repeat(emails);
            let contacts = if contacts.is_empty() { contacts } else { format!("<c:contacts>{contacts}</c:contacts>") };
            format!(
                "<person><c:name><c:family>О'Нил-Ёж</c:family><c:given>И</c:given>{}</c:name><c:sex>{}</c:sex><c:birthDate>2004-02-29</c:birthDate>\
                 <c:snils>999-000-202 22</c:snils>{}{}{}{contacts}</person>",
                element("c:patronymic", patronymic.as_deref()),
                if female { "female" } else { "male" },
                documents.concat(),
                home.unwrap_or_default(),
                stay.unwrap_or_default(),
            )
        })
}

fn there_and_back(name: &str, body: &str) -> Result<(), TestCaseError> {
    static LOADED: std::sync::OnceLock<(AdapterSet, Catalogue)> = std::sync::OnceLock::new();
    let (set, catalogue) = LOADED.get_or_init(|| {
        let files = bundle::embedded();
        (AdapterSet::from_files(&files).unwrap(), catalogue(&files))
    });
    let (message_type, header) = kind(name);
    catalogue.validate(&message_type, body.as_bytes()).unwrap();
    for adapter in set.iter() {
        let there = adapter.to_partner(&message_type, body.as_bytes(), &header).unwrap();
        let back = adapter.to_canonical(&message_type, there.as_ref(), &header, catalogue).unwrap();
        prop_assert_eq!(xml_lines(&back), xml_lines(body.as_bytes()), "{}", adapter.name());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_comes_back_from_every_agency_as_it_was(
        number in text(),
        first in answer("criminal-record"),
        second in proptest::option::of(answer("medical-conclusion")),
    ) {
        let body = format!(
            "<DocumentResponse xmlns='urn:mezhved:social:document-response:1'>{}<outgoingNumber>1</outgoingNumber>\
             <answers>{first}{}</answers></DocumentResponse>",
            element("incomingNumber", Some(&number)),
            second.unwrap_or_default()
        );
        there_and_back("document-response", &body)?;
    }

    #[test]
    fn a_request_comes_back_from_every_agency_as_it_was(
        (asker, gist, article) in (text(), text(), text()),
        service in proptest::option::of("[0-9]{1,20}"),
        person in person(),
        items in proptest::collection::vec((text(), text()), 0..3),
        note in proptest::option::of(text()),
        dated in proptest::bool::ANY,
    ) {
        let item = |(name, value): &(String, String)| format!("<item>{}{}</item>", element("name", Some(name)), element("value", Some(value)));
        let items: String = items.iter().map(item).collect();
        let items = if items.is_empty() { items } else { format!("<searchData>{items}</searchData>") };
        let date = dated.then_some("2026-05-06");
        let body = format!(
            "<DocumentRequest xmlns='urn:mezhved:social:document-request:1' xmlns:c='urn:mezhved:common:1'><outgoingNumber>1</outgoingNumber>{}{}\
             <askedBody>Б</askedBody><gist>{}\n{}</gist><serviceName>В</serviceName>{}<legalAct>Г</legalAct>{}{person}{items}\
             <wanted><document><kind>passport-data</kind>{}</document><document><kind>income-certificate</kind></document></wanted>{}\
             <preparer><c:name>Д</c:name><c:post>Е</c:post><c:phone>+73462000001</c:phone></preparer></DocumentRequest>",
            element("outgoingDate", date),
            element("requestingBody", Some(&asker)),
            escape(&gist),
            escape(&gist),
            element("serviceNumber", service.as_deref()),
            element("legalArticle", Some(&article)),
            element("note", note.as_deref()),
            element("answerBy", date),
        );
        there_and_back("document-request", &body)?;
    }
}
