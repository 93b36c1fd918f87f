//! A day in a real browser: what is late is found, read and reminded of; what is parked is mended and sent again; an agency is added, tried,
//! broken and brought back; a report is taken away. Somebody without rights is refused each of these.

use std::path::PathBuf;
use std::sync::Arc;

use calamine::{Reader as _, Xlsx, open_workbook};
use fantoccini::{Client, Locator};

use super::apply_late;
use super::browser::{Driver, sign_in};
use crate::commands::{copy_folder, edit, project};
use crate::support::eventually;
use crate::world::{Agency, Backend, PASSWORD, Partner, RUNTIME, SOON, World, bodies};

/// The agency that is not set up yet when the day begins.
const NEW: &str = "culture";

/// A browser, and the hands that use it.
struct Hands {
    browser: Client,
    address: String,
}

impl Hands {
    async fn go(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.address)).await.unwrap();
    }

    /// Waits until something is there.
    async fn there(&self, css: &str) {
        let found = self.browser.wait().at_most(SOON).for_element(Locator::Css(css)).await;
        if found.is_err() {
            panic!("no {css}: {}", self.browser.source().await.unwrap());
        }
    }

    async fn click(&self, css: &str) {
        self.there(css).await;
        self.browser.find(Locator::Css(css)).await.unwrap().click().await.unwrap();
    }

    /// Types into an empty field of a form, or over what is there.
    async fn fill(&self, css: &str, text: &str) {
        let field = self.browser.find(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn text(&self) -> String {
        self.browser.find(Locator::Css("main")).await.unwrap().text().await.unwrap()
    }

    async fn shows(&self, wanted: &str) {
        let text = self.text().await;
        assert!(text.contains(wanted), "no `{wanted}`: {text}");
    }

    /// Whether nothing fits.
    async fn lacks(&self, css: &str) {
        let found = self.browser.find_all(Locator::Css(css)).await.unwrap().len();
        assert_eq!(found, 0, "{css}: {}", self.browser.source().await.unwrap());
    }

    async fn path(&self) -> String {
        self.browser.current_url().await.unwrap().path().to_owned()
    }

    /// Somebody else sits down.
    async fn sign_in(&self, login: &str) {
        self.browser.delete_all_cookies().await.unwrap();
        self.go("/sign-in?lang=ru").await;
        sign_in(&self.browser, login, PASSWORD).await;
    }
}

fn by_revision(world: &World, part: &str, number: u64) {
    eventually(&format!("the gateway by revision {number} of {part}"), SOON, || {
        let ready = RUNTIME.block_on(world.wire().get("/readyz", None)).unwrap().json();
        (ready["revisions"][part] == number).then_some(())
    });
}

/// A region with a request that is late, an adapter that does not work, and an agency that is not there yet.
fn morning() -> (World, PathBuf) {
    let mut world = World::on(Backend::Sqlite).whole_region().prepare();
    copy_folder(&project("adapters/health"), &world.file("adapters/health"));
    let template = world.file("adapters/health/templates/request.out.xml");
    edit(&template, "body.legalAct)", "body.legalActs)");
    world.serve();
    apply_late(&world);
    let register = world.agency("register");
    let request = register.draft("health", "document-request", bodies::request("medical-conclusion"));
    world.post(register.sign(&request)).receipt();
    world.until(request.header.message_id, "parked");
    world.add_account("petrova", &["--role", "operator", "--role", "administrator"]);
    world.add_account("sidorova", &["--role", "auditor"]);
    world.add_account("officer", &["--role", "security-officer"]);
    (world, template)
}

#[test]
fn a_day_of_an_operator_and_an_administrator_and_of_somebody_who_may_not() {
    let (world, template) = morning();
    let driver = Driver::start();
    let browser = RUNTIME.block_on(driver.browser(&world));
    let hands = Hands { browser, address: world.gateway().console().to_owned() };
    let obligation = late_is_found_and_reminded_of(&world, &hands);
    let letter = parked_is_mended_and_sent_again(&world, &hands, &template);
    an_agency_is_added_tried_broken_and_brought_back(&world, &hands);
    a_report_is_taken_away(&world, &hands);
    RUNTIME.block_on(refused(&hands, &obligation, &letter));
    RUNTIME.block_on(hands.browser.close()).unwrap();
}

/// Answers where the obligation is.
fn late_is_found_and_reminded_of(world: &World, hands: &Hands) -> String {
    let path = RUNTIME.block_on(async {
        hands.sign_in("petrova").await;
        hands.click("main a[href^='/obligations/0']").await;
        hands.there("#h-why").await;
        hands.shows("Почему такой срок").await;
        hands.shows("просрочено").await;
        hands.there("table.days td.end").await;
        let path = hands.path().await;
        hands.click("form[action='/obligations/remind'] button").await;
        hands.there("#h-acts ~ ol.timeline").await;
        hands.shows("должнику напомнили").await;
        path
    });
    assert_eq!(world.number("SELECT COUNT(*) FROM journal WHERE kind = 'obligation-reminded'"), 1);
    path
}

/// Answers where the dead letter was.
fn parked_is_mended_and_sent_again(world: &World, hands: &Hands, template: &std::path::Path) -> String {
    let path = RUNTIME.block_on(async {
        hands.go("/dead").await;
        hands.click("main a[href^='/dead/0']").await;
        hands.there("#h-chain").await;
        hands.shows("adapters/health/templates/request.out.xml:").await;
        hands.path().await
    });
    edit(template, "body.legalActs)", "body.legalAct)");
    world.mezhved(&["partner", "apply"]).done();
    by_revision(world, "bundle", 2);
    RUNTIME.block_on(async {
        hands.fill("textarea[name=why]", "Шаблон исправлен").await;
        hands.click("button[value=retranslate]").await;
        hands.there(".notice").await;
    });
    let delivered = "SELECT COUNT(*) FROM deliveries WHERE recipient = 'health' AND state = 'delivered'";
    eventually("the mended delivery", SOON, || (world.number(delivered) == 1).then_some(()));
    path
}

fn an_agency_is_added_tried_broken_and_brought_back(world: &World, hands: &Hands) {
    let agency = Arc::new(Agency::generate(&world.file("agencies"), NEW));
    let partner = Partner::start(agency.clone(), world.gateway_certificate.clone());
    let (url, certificate) = (partner.url(), &agency.certificate_file);
    let save = "main form[enctype='multipart/form-data'] button";
    let card = format!("/participants/{NEW}");
    let ping = format!("form[action='{card}/ping'] button");
    RUNTIME.block_on(async {
        hands.go("/participants").await;
        hands.click("a[href='/participants/new']").await;
        hands.there("[name=id]").await;
        for (field, text) in [
            ("id", NEW),
            ("name", "Департамент культуры"),
            ("regulation", "yugra"),
            ("zone", "Asia/Surgut"),
            ("role", NEW),
            ("transport.kind", "http"),
            ("transport.url", url),
        ] {
            hands.fill(&format!("[name='{field}']"), text).await;
        }
        let file = hands.browser.find(Locator::Css("[name=certificate]")).await.unwrap();
        file.send_keys(certificate.to_str().unwrap()).await.unwrap();
        hands.click(save).await;
        hands.there("[name=zone][aria-invalid=true]").await;
        hands.shows("не часовой пояс").await;

        // What was typed is there still; a file has to be chosen again.
        hands.fill("[name=zone]", "Asia/Yekaterinburg").await;
        let file = hands.browser.find(Locator::Css("[name=certificate]")).await.unwrap();
        file.send_keys(certificate.to_str().unwrap()).await.unwrap();
        hands.fill("[name=comment]", "Новое ведомство").await;
        hands.click(save).await;
        hands.there("#certificates").await;
        assert_eq!(hands.path().await, card);
    });
    by_revision(world, "participants", 2);
    RUNTIME.block_on(async {
        hands.go(&card).await;
        hands.click(&ping).await;
        hands.there(".ping-reached").await;

        hands.go(&format!("{card}/edit")).await;
        hands.fill("[name='transport.url']", "http://127.0.0.1:1/inbox").await;
        hands.fill("[name=comment]", "Переезд").await;
        hands.click(save).await;
        hands.there("#certificates").await;
    });
    by_revision(world, "participants", 3);
    RUNTIME.block_on(async {
        hands.go(&card).await;
        hands.click(&ping).await;
        hands.there(".ping-failed").await;
        hands.shows("Соединение TCP").await;

        hands.go(&card).await;
        hands.click(&format!("a[href='{card}/revisions/3']")).await;
        hands.there("del").await;
        hands.fill("[name=comment]", "Обратно").await;
        hands.click(&format!("form[action='{card}/undo'] button.quiet[name=to]")).await;
        hands.there("#certificates").await;
    });
    by_revision(world, "participants", 4);
    RUNTIME.block_on(async {
        hands.go(&card).await;
        hands.shows(url).await;
        hands.click(&ping).await;
        hands.there(".ping-reached").await;
    });
}

fn a_report_is_taken_away(world: &World, hands: &Hands) {
    RUNTIME.block_on(async {
        hands.go("/reports").await;
        hands.shows("Исполнительская дисциплина").await;
        hands.click("a[href*='format=xlsx']").await;
    });
    let book = eventually("the downloaded report", SOON, || {
        let files = std::fs::read_dir(world.file("downloads")).ok()?.flatten().map(|file| file.path());
        files.into_iter().find(|path| path.extension().is_some_and(|end| end == "xlsx"))
    });
    let mut book: Xlsx<_> = open_workbook(book).unwrap();
    let sheets = book.sheet_names();
    let cells: Vec<String> = sheets
        .iter()
        .flat_map(|sheet| {
            book.worksheet_range(sheet).unwrap().cells().map(|(_, _, cell)| cell.to_string()).collect::<Vec<_>>()
        })
        .collect();
    assert!(cells.iter().any(|cell| cell == "register"), "{cells:?}");
}

/// The auditor sees and may not act; whoever answers for security does not even see.
async fn refused(hands: &Hands, obligation: &str, letter: &str) {
    let no = "Нет права";
    hands.sign_in("sidorova").await;
    hands.go(obligation).await;
    hands.shows("Почему такой срок").await;
    hands.lacks("form[action='/obligations/remind']").await;
    hands.go(letter).await;
    hands.lacks("textarea[name=why]").await;
    let card = format!("/participants/{NEW}");
    hands.go(&card).await;
    hands.lacks(&format!("form[action='{card}/ping']")).await;
    hands.lacks(&format!("a[href='{card}/edit']")).await;
    for path in ["/participants/new".to_owned(), format!("{card}/edit")] {
        hands.go(&path).await;
        hands.shows(no).await;
    }
    hands.sign_in("officer").await;
    for path in [obligation, letter, "/reports", "/reports/file?report=discipline&format=xlsx"] {
        hands.go(path).await;
        hands.shows(no).await;
    }
}
