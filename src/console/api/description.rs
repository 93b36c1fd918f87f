//! The OpenAPI document: the handlers say what they take and give, the table of routes says who may.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::{HeaderValue, Method, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::problem::{Code, Problem, Said};
use super::{
    Answer, BELOW, access, acts, conversations, dead, journal, messages, obligations, participants, queues, reports,
};
use crate::console::routes::{Access, Route, table};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Межвед: API консоли / the console's API",
        description = "То же, что на страницах консоли, и с теми же правами: для скриптов. Токен выдаётся в «Мой доступ» и не может больше, \
                       чем его учётная запись. Моменты - RFC 3339; сроки - последняя секунда в срок, в поясе, в котором срок посчитан. \
                       Ошибки - application/problem+json, на русском и английском; скрипту - поле `code`.\n\n\
                       What the pages of the console show and do, with the same rights, for scripts. A token is made in “My access” and may \
                       no more than its account. Instants are RFC 3339; a due is the last second in time, in the zone in which it was \
                       counted. Errors are application/problem+json, in Russian and English; a script goes by `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        document,
        access::show,
        obligations::list, obligations::one,
        acts::remind, acts::note, acts::fulfil, acts::waive, acts::extend,
        messages::list, messages::one, messages::body, messages::envelope,
        conversations::one,
        queues::list, queues::one, queues::pause, queues::resume, queues::stop,
        dead::list, dead::one, dead::replay, dead::discard,
        participants::list, participants::one,
        reports::list, reports::one,
        journal::list,
    ),
    components(schemas(Said)),
    tags(
        (name = "access", description = "Кто спрашивает / who asks"),
        (name = "obligations", description = "Сроки: кто, что, к какому дню / deadlines: who, what, by when"),
        (name = "messages", description = "Сообщения и их доставка; тел нет, пока их не попросят / messages and deliveries; no body until it is asked for"),
        (name = "queues", description = "Очереди и недоставленное / queues and what was not delivered"),
        (name = "reports", description = "Отчёты / reports"),
        (name = "configuration", description = "Участники / participants"),
        (name = "journal", description = "Журнал / the journal")
    )
)]
struct Handlers;

/// The document, as it is served and printed.
static DOCUMENT: LazyLock<Value> = LazyLock::new(made);

/// The names in the query of each method and path.
static QUERIES: LazyLock<BTreeMap<(String, String), Vec<String>>> = LazyLock::new(|| {
    let mut all = BTreeMap::new();
    for (path, item) in paths(&DOCUMENT) {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
            let queries = parameters.filter(|p| p.get("in").is_some_and(|place| place == "query"));
            let names = queries.filter_map(|p| p.get("name").and_then(Value::as_str).map(str::to_owned));
            all.insert((method.to_uppercase(), path.clone()), names.collect());
        }
    }
    all
});

fn paths(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    document.get("paths").and_then(Value::as_object).into_iter().flatten()
}

/// The OpenAPI 3.1 document of the JSON API, in both languages.
pub fn openapi() -> &'static Value {
    &DOCUMENT
}

/// The names that may stand in the query.
pub(super) fn query_names(method: &Method, path: &str) -> &'static [String] {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    QUERIES.get(&(method.to_string(), path.to_owned())).map_or(&[], Vec::as_slice)
}

fn made() -> Value {
    let Ok(mut document) = serde_json::to_value(Handlers::openapi()) else { return Value::Null };
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        let about = "Токен из «Мой доступ» / a token of “My access”";
        let session = "Сеанс консоли; что меняет, несёт заголовок mezhved-csrf / a session of the console; what changes carries mezhved-csrf";
        let schemes = json!({
            "token": { "type": "http", "scheme": "bearer", "description": about },
            "session": { "type": "apiKey", "in": "cookie", "name": "__Host-mezhved", "description": session },
        });
        components.insert("securitySchemes".to_owned(), schemes);
    }
    for route in table().iter().filter(|route| route.path.starts_with(BELOW)) {
        let method = route.method.as_str().to_lowercase();
        let item = document.pointer_mut("/paths").and_then(|paths| paths.get_mut(route.path));
        let operation = item.and_then(|item| item.get_mut(&method)).and_then(Value::as_object_mut);
        if let Some(operation) = operation {
            guard(operation, route.access, route.method != Method::GET);
        }
    }
    document
}

/// What the guard answers before the handler does, and who may.
fn guard(operation: &mut Map<String, Value>, access: Access, changes: bool) {
    let asks = operation.get("parameters").and_then(Value::as_array);
    let place = |place: &str| asks.is_some_and(|all| all.iter().any(|p| p.get("in").is_some_and(|at| at == place)));
    let has_body = operation.contains_key("requestBody");
    let mut codes = vec![if has_body { Code::BadBody } else { Code::BadQuery }, Code::StoreAway];
    if place("path") {
        codes.push(Code::NotFound);
    }
    if has_body {
        codes.extend([Code::MediaType, Code::TooLarge]);
    }
    if access == Access::Open {
        operation.insert("security".to_owned(), json!([]));
    } else {
        codes.push(Code::Unauthorized);
        operation.insert("security".to_owned(), json!([{ "token": [] }, { "session": [] }]));
    }
    if let Access::Right(right) = access {
        codes.push(Code::Forbidden);
        operation.insert("x-mezhved-right".to_owned(), json!(right.as_str()));
    } else if changes {
        codes.push(Code::Csrf);
    }
    let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
    for code in codes {
        let answer = responses.entry(code.status().as_str()).or_insert_with(|| json!({}));
        if let Some(answer) = answer.as_object_mut().filter(|answer| answer.is_empty()) {
            let content =
                json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
            answer.insert("description".to_owned(), json!(Problem::title(code)));
            answer.insert("content".to_owned(), content);
        }
    }
    responses.sort_keys();
}

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/api/v1/openapi.json", Access::Open, get(document))]
}

/// This document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "access", operation_id = "openapi",
    summary = "Этот документ / this document",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
async fn document() -> Answer {
    let mut response = axum::Json(&*DOCUMENT).into_response();
    // It holds nothing of anybody's.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The operations of the document, by method and path.
    fn operations() -> Vec<(String, &'static str, &'static Map<String, Value>)> {
        let mut all = Vec::new();
        for (path, item) in openapi()["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                all.push((method.to_uppercase(), path.as_str(), operation.as_object().unwrap()));
            }
        }
        all
    }

    #[test]
    fn the_document_has_every_route_and_no_other_with_who_may() {
        let routes = table();
        let routes: BTreeSet<(String, &str)> =
            routes.iter().filter(|r| r.path.starts_with(BELOW)).map(|r| (r.method.to_string(), r.path)).collect();
        let described: BTreeSet<(String, &str)> = operations().into_iter().map(|(m, path, _)| (m, path)).collect();
        assert_eq!(routes, described);
        for route in table().iter().filter(|r| r.path.starts_with(BELOW)) {
            let operation = &openapi()["paths"][route.path][route.method.as_str().to_lowercase()];
            let right = operation.get("x-mezhved-right").and_then(Value::as_str);
            let expected = match route.access {
                Access::Right(right) => Some(right.as_str()),
                Access::Open | Access::Signed => None,
            };
            assert_eq!(right, expected, "{}", route.path);
            assert_eq!(operation["security"] == json!([]), route.access == Access::Open, "{}", route.path);
        }
    }

    #[test]
    fn every_operation_is_told_in_both_languages_and_has_a_name_of_its_own() {
        let mut names = BTreeSet::new();
        for (method, path, operation) in operations() {
            let place = format!("{method} {path}");
            let summary = operation["summary"].as_str().unwrap();
            let both = summary.split_once(" / ").is_some_and(|(ru, en)| !ru.is_ascii() && en.is_ascii());
            assert!(both, "{place}: {summary}");
            assert!(names.insert(operation["operationId"].as_str().unwrap()), "{place}: its name is another's");
            let tag = &operation["tags"][0];
            assert!(openapi()["tags"].as_array().unwrap().iter().any(|t| t["name"] == *tag), "{place}: {tag}");
            let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
            let (in_path, in_query): (Vec<&Value>, Vec<&Value>) = parameters.partition(|p| p["in"] == "path");
            let said: BTreeSet<&str> = in_path.iter().map(|p| p["name"].as_str().unwrap()).collect();
            let written: BTreeSet<&str> =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            assert_eq!(said, written, "{place}");
            for parameter in in_query {
                let about = parameter["description"].as_str().unwrap();
                assert!(about.contains(" / "), "{place}: {parameter}");
            }
            let status = if path.ends_with("/envelope") { "application/xml" } else { "application/json" };
            assert!(operation["responses"]["200"]["content"].get(status).is_some(), "{place}");
        }
    }

    #[test]
    fn the_document_is_openapi_3_1_and_every_reference_leads_somewhere() {
        assert_eq!(openapi()["openapi"], "3.1.0");
        let mut left = vec![openapi()];
        let mut found = 0;
        while let Some(value) = left.pop() {
            match value {
                Value::Array(all) => left.extend(all),
                Value::Object(all) => {
                    if let Some(reference) = all.get("$ref").and_then(Value::as_str) {
                        found += 1;
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(openapi().pointer(pointer).is_some(), "{reference} leads nowhere");
                    }
                    left.extend(all.values());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        assert!(found > 100, "only {found} references");
        // Each schema of the document is one.
        for (name, schema) in openapi()["components"]["schemas"].as_object().unwrap() {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": format!("#/components/schemas/{name}"),
                "components": openapi()["components"],
            });
            jsonschema::validator_for(&whole).unwrap_or_else(|e| panic!("{name}: {e}: {schema}"));
        }
    }
}
