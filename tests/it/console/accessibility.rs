//! Every page, wide and narrow, light and dark, in both languages, against what people need who see little, use no mouse, or listen.
//!
//! `accessibility.js` holds the rules, each with its number in WCAG 2.2. The pages are found as people find them: by links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fantoccini::Client;
use mezhved::access::Role;
use mezhved::console::{Access, table};
use serde_json::json;

use super::apply_late;
use super::browser::{Driver, sign_in};
use crate::world::{Backend, Behaviour, PASSWORD, RUNTIME, World, bodies};

const RULES: &str = include_str!("accessibility.js");

/// How it is looked at: pixels, and what the address says.
const LOOKS: [(u32, &str); 2] = [(1440, "lang=ru&theme=light"), (360, "lang=en&theme=dark")];

/// Pages that no link of this world leads to.
const UNLINKED: [&str; 1] = ["/password/{link}"];

/// Something late, something parked, something delivered.
fn a_world_with_work() -> World {
    let world = World::on(Backend::Sqlite).setting("delivery.attempts_max = 1").start();
    apply_late(&world);
    let register = world.agency("register");
    world.partner("health").behave(Behaviour::Status(500));
    for (to, document, state) in
        [("health", "medical-conclusion", "parked"), ("guardianship", "guardianship-act", "delivered")]
    {
        let request = register.draft(to, "document-request", bodies::request(document));
        world.post(register.sign(&request)).receipt();
        world.until(request.header.message_id, state);
    }
    world
}

/// Whether a path is one of a pattern with parameters in braces.
fn fits(path: &str, pattern: &str) -> bool {
    let (path, pattern): (Vec<_>, Vec<_>) = (path.split('/').collect(), pattern.split('/').collect());
    let same = |(own, wanted): (&&str, &&str)| wanted.starts_with('{') || own == wanted;
    path.len() == pattern.len() && path.iter().zip(&pattern).all(same)
}

/// The pattern of a path; one without parameters goes before one with them.
fn pattern_of<'p>(path: &str, patterns: &BTreeSet<&'p str>) -> Option<&'p str> {
    let fitting = patterns.iter().filter(|pattern| fits(path, pattern));
    fitting.min_by_key(|pattern| pattern.matches('{').count()).copied()
}

/// What is wrong with the page that is shown.
async fn findings(browser: &Client) -> Vec<String> {
    serde_json::from_value(browser.execute(RULES, vec![]).await.unwrap()).unwrap()
}

/// Where the links of the page lead that stay in the console and show a page.
async fn links(browser: &Client) -> Vec<String> {
    let script = "return [...document.querySelectorAll('a[href]')].filter(a => a.origin === location.origin && !a.hasAttribute('download')) \
                  .map(a => a.pathname + a.search)";
    serde_json::from_value(browser.execute(script, vec![]).await.unwrap()).unwrap()
}

#[test]
fn no_page_shuts_anybody_out() {
    let world = a_world_with_work();
    let roles: Vec<&str> = Role::ALL.iter().flat_map(|role| ["--role", role.as_str()]).collect();
    world.add_account("yakovleva", &roles);
    // Somebody else's account, which comes first in the list, and a connection that was tried.
    world.add_account("ivanova", &["--role", "operator"]);
    world.mezhved(&["partner", "ping", "guardianship"]).done();
    let routes = table();
    let shown = |path: &str| !path.contains('.') && !["/events", "/reports/file"].contains(&path);
    let pages = routes.iter().filter(|r| r.method == "GET" && shown(r.path) && !r.path.starts_with("/api/"));
    let patterns: BTreeSet<&str> = pages.clone().map(|r| r.path).collect();
    let open: Vec<&str> = pages.filter(|r| r.access == Access::Open).map(|r| r.path).collect();
    let address = world.gateway().console().to_owned();
    let driver = Driver::start();
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    RUNTIME.block_on(async {
        let browser = driver.browser(&world).await;
        let mut visited: BTreeMap<&str, String> = BTreeMap::new();
        for (width, look) in LOOKS {
            browser.set_window_size(width, 900).await.unwrap();
            browser.goto(&format!("{address}/sign-in?{look}")).await.unwrap();
            if visited.is_empty() {
                visited.insert("/sign-in", "/sign-in".to_owned());
                wrong.insert("/sign-in".to_owned(), findings(&browser).await);
                sign_in(&browser, "yakovleva", PASSWORD).await;
                let mut ahead = VecDeque::from(["/", "/nothing", "/participants/guardianship"].map(str::to_owned));
                while let Some(path) = ahead.pop_front() {
                    browser.goto(&format!("{address}{path}")).await.unwrap();
                    wrong.entry(format!("{path} {width}")).or_default().extend(findings(&browser).await);
                    for link in links(&browser).await {
                        let bare = link.split('?').next().unwrap();
                        if let Some(pattern) = pattern_of(bare, &patterns).filter(|p| !visited.contains_key(p)) {
                            visited.insert(pattern, link.clone());
                            ahead.push_back(link);
                        }
                    }
                }
            } else {
                for path in visited.values().chain(["/nothing".to_owned()].iter()) {
                    browser.goto(&format!("{address}{path}")).await.unwrap();
                    wrong.entry(format!("{path} {width}")).or_default().extend(findings(&browser).await);
                }
            }
        }
        let seen: BTreeSet<&str> = visited.keys().copied().chain(UNLINKED).collect();
        let unseen: Vec<&str> = patterns.iter().filter(|pattern| !seen.contains(**pattern)).copied().collect();
        assert_eq!(unseen, Vec::<&str>::new(), "no link leads to these pages; add what leads there to the world");
        assert!(open.contains(&"/sign-in"));

        // The rules see what they must.
        browser.goto(&format!("{address}/")).await.unwrap();
        let spoil = "document.querySelector('main').insertAdjacentHTML('beforeend', \
                     '<h5>x</h5><input name=q><p id=twice>x</p><p id=twice>x</p><table><tr><td>x</td></tr></table>')";
        browser.execute(spoil, vec![]).await.unwrap();
        let seen = findings(&browser).await;
        for rule in ["heading-order", "name", "id-twice", "table-head"] {
            assert!(seen.iter().any(|finding| finding.starts_with(rule)), "{rule}: {seen:#?}");
        }
        browser.close().await.unwrap();
    });
    wrong.retain(|_, findings| !findings.is_empty());
    assert!(wrong.is_empty(), "{:#}", json!(wrong));
}
