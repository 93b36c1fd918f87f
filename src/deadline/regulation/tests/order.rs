//! The descriptive parts that article 28 of 442-FZ wants.

use super::super::{Basis, BodyKind, Order};
use super::*;

fn order() -> Order {
    Regulation::parse(FILE, YUGRA).unwrap().order
}

#[test]
fn yugra_has_its_ten_departments_and_everybody_has_a_basis() {
    let order = order();
    let departments: Vec<_> = order.bodies.iter().filter(|b| b.kind == BodyKind::Department).collect();
    assert_eq!(departments.len(), 10);
    assert!(departments.iter().all(|d| d.basis == Basis::Regulation && !d.activities.is_empty() && d.parent.is_none()));
    let paragraphs: std::collections::BTreeSet<&str> =
        departments.iter().flat_map(|d| &d.activities).map(|a| a.paragraph.as_str()).collect();
    assert_eq!(paragraphs.len(), 10, "each its own paragraph of the appendix: {paragraphs:?}");
    for id in ["police", "guardianship"] {
        let body = order.bodies.iter().find(|b| b.id == id).unwrap();
        assert_eq!(body.basis, Basis::Agreement, "{id}");
    }
    let subordinate = order.bodies.iter().filter(|b| b.kind == BodyKind::Subordinate);
    assert!(subordinate.clone().count() >= 5 && subordinate.clone().all(|b| b.parent.is_some()));
    assert_eq!(order.missing(), [], "every point of article 28 is answered");
}

#[test]
fn each_mistake_of_the_descriptive_parts_is_found_in_its_line() {
    let table = [
        ("kind = \"department\"", "kind = \"ministry\"", "`kind` = `ministry`: allowed are department, subordinate", 0),
        ("basis = \"regulation\"\n", "basis = \"order\"\n", "`basis` = `order`: allowed are regulation, agreement", 0),
        ("role = \"department\"\n", "role = \"departement\"\n", "role `departement`: not in this file", 0),
        ("id = \"depzdrav\"", "id = \"depsoc\"", "the id `depsoc` stands here a second time", 1),
        ("id = \"depzdrav\"", "id = \"деп\"", "деп", 0),
        (
            "parent = \"depobr\"",
            "parent = \"depbor\"",
            "body (parent) `depbor`: not in this file; there are: arts-schools",
            4,
        ),
        ("parent = \"depobr\"", "parent = \"schools\"", "`schools` belongs to itself in a circle", 4),
        ("parent = \"depobr\"\n", "", "(kind = \"subordinate\") needs `parent`", 4),
        ("id = \"notice\"", "id = \"paper\"", "the id `paper` stands here a second time", 1),
        ("text = { ru = \"подписанный", "txet = { ru = \"подписанный", "lacks the key `text`", 3),
        ("paragraph = \"п. 3.9\" }", "paragraf = \"п. 3.9\" }", "unknown key `paragraf`", 0),
    ];
    for (good, bad, expected, above) in table {
        let found = broken(good, bad);
        let near = line_of(good);
        assert!(
            found.iter().any(|(line, en)| en.contains(expected) && (near - above..=near + 1).contains(line)),
            "{bad}: {found:?}"
        );
    }
    let found = broken("basis = \"regulation\"\nactivities", "activities");
    assert!(found.iter().any(|(_, en)| en.contains("`body` lacks the key `basis`")), "{found:?}");
}

#[test]
fn one_broken_body_is_one_mistake() {
    // `depsoc` is the parent of others: they still find it.
    let found = broken("kind = \"department\"", "kind = \"ministry\"");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_circle_of_several_is_told_at_each_of_them() {
    let text = YUGRA.replacen("id = \"depobr\"\n", "id = \"depobr\"\nparent = \"schools\"\n", 1);
    let found = Regulation::parse(FILE, &text).unwrap_err();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|f| f.en.contains("in a circle") && f.ru.contains("по кругу")));
}

#[test]
fn an_unanswered_point_is_named() {
    let text = YUGRA.replace("[[control]]", "[[mechanism]]");
    let missing = Regulation::parse(FILE, &text).unwrap().order.missing();
    assert_eq!(missing.iter().map(|p| (p.number, p.part)).collect::<Vec<_>>(), [(6, "[[control]]")]);
    assert_eq!(Order::default().missing().len(), 6);
}

#[test]
fn the_regulations_of_the_binary_answer_every_point_of_article_28() {
    let all = super::super::Regulations::from_files(&crate::bundle::embedded())
        .unwrap_or_else(|e| panic!("{}", e.iter().map(|f| format!("{f}\n")).collect::<String>()));
    assert_eq!(all.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["model", "smolensk", "yugra"]);
    for regulation in all.iter() {
        assert_eq!(regulation.order.missing(), [], "{}", regulation.id);
        for role in &regulation.roles {
            assert!(
                regulation.order.of_role(&role.code).next().is_some(),
                "{}: basis of `{}`",
                regulation.id,
                role.code
            );
        }
        let documents = &regulation.documents;
        assert!(documents.iter().all(|d| d.checked_on.is_none()), "nobody has compared {} yet", regulation.id);
    }
}
