//! «Отчёты» and «Дела»: what they show, to whom, and what only a form shows.

use mezhved::domain::{CaseId, Timestamp};
use uuid::Uuid;

use crate::world::{Backend, World, bodies, now};

fn apply(world: &World, documents: &[(&str, &str)]) -> CaseId {
    let (register, case) = (world.agency("register"), CaseId::from_uuid(Uuid::now_v7()));
    let at: Timestamp = now().plus_seconds(-60);
    let mut draft = register.draft("register", "application", bodies::application(at, documents));
    draft.header.case_id = Some(case);
    world.post(register.sign(&draft)).receipt();
    case
}

#[test]
fn reports_are_shown_downloaded_and_hide_people_until_a_form_asks() {
    let world = World::on(Backend::Sqlite).start();
    apply(&world, &[("medical-conclusion", "health")]);
    let mut operator = world.person("operator", &["--role", "operator"]);
    let page = operator.get("/reports");
    assert_eq!(page.status, 200);
    for said in ["Исполнительская дисциплина", "document-request", "Скачать XLSX", "Как это считается"]
    {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    let en = operator.get("/reports?report=indicators&period=2026&lang=en");
    assert!(en.status == 303 || en.text.contains("Indicators of section XV"), "{}", en.text);
    let bad = operator.get("/reports?period=2026-99");
    assert!(bad.status == 200 && bad.text.contains("role=\"alert\""), "{}", bad.text);
    let csv = operator.get("/reports/file?report=discipline&format=csv");
    assert_eq!(csv.status, 200);
    let header = |name: &str| csv.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    assert!(header("content-type").starts_with("text/csv") && header("content-disposition").contains(".csv\""));
    assert_eq!(operator.get("/reports/file?report=discipline&format=exe").status, 404);

    let masked = operator.get("/reports?report=register-applications");
    assert!(masked.text.contains("скрыто") || masked.text.contains("hidden"), "{}", masked.text);
    let shown = operator.post("/reports/personal", &[("report", "register-applications")]);
    assert_eq!(shown.status, 200);
    assert!(!shown.text.contains("скрыто"), "{}", shown.text);
    // Somebody without the right sees neither the button nor the data.
    let mut auditor = world.person("auditor", &["--role", "auditor"]);
    let page = auditor.get("/reports?report=register-applications");
    assert!(page.status == 200 && !page.text.contains("/reports/personal"), "{}", page.text);
    assert_eq!(auditor.post("/reports/personal", &[("report", "register-applications")]).status, 403);
    assert_eq!(world.number("SELECT COUNT(*) FROM journal WHERE kind = 'register-read'"), 3);
    // A part of the exchange: nothing of police is in it.
    let mut part = world.person("part", &["--role", "operator", "--participant", "police"]);
    let page = part.get("/reports?report=discipline");
    assert!(page.status == 200 && page.text.contains("За этот период ничего нет"), "{}", page.text);
    assert!(!page.text.contains("<td"), "{}", page.text);
    let register = part.get("/reports?report=register-applications");
    assert!(
        !register.text.contains("data-label=\"Рег. номер\""),
        "no application was sent to police: {}",
        register.text
    );
}

#[test]
fn a_case_is_one_page_and_is_shown_to_those_who_take_part() {
    let world = World::on(Backend::Sqlite).start();
    let case = apply(&world, &[("medical-conclusion", "health")]);
    let mut operator = world.person("operator", &["--role", "operator"]);
    let list = operator.get("/cases");
    assert!(list.status == 200 && list.text.contains(&format!("/cases/{case}")), "{}", list.text);
    assert!(!operator.get("/cases?state=closed").text.contains(&case.to_string()));
    assert!(operator.get(&format!("/cases?case={case}")).text.contains(&format!("/cases/{case}")));
    assert!(operator.get("/cases?case=x").text.contains("role=\"alert\""));
    let page = operator.get(&format!("/cases/{case}"));
    assert_eq!(page.status, 200);
    for said in ["Заявление", "Переписка", "Сроки", "71876000"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert_eq!(operator.get("/cases/01a22008-7f45-7525-8e8a-a82c5729c8d9").status, 404);
    assert_eq!(operator.get("/cases/x").status, 404);
    // Who takes no part in it, or sees another territory, is told nothing.
    for (login, scope) in [("police", ["--participant", "police"]), ("elsewhere", ["--territory", "66701000"])] {
        let mut other = world.person(login, &[&["--role", "operator"][..], &scope].concat());
        assert!(!other.get("/cases?state=all").text.contains(&case.to_string()), "{login}");
        assert!(
            !other.get(&format!("/cases?state=all&case={case}")).text.contains(&format!("/cases/{case}")),
            "{login}"
        );
        assert_eq!(other.get(&format!("/cases/{case}")).status, 404, "{login}");
    }
    let mut own = world.person("register", &["--role", "operator", "--participant", "register"]);
    assert!(own.get("/cases").text.contains(&case.to_string()));
    assert_eq!(own.get(&format!("/cases/{case}")).status, 200);
}
