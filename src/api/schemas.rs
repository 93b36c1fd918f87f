//! `/schemas/…`: what a message must look like, for machines and for people. Public, for it holds no data.
//!
//! | address | what |
//! |---|---|
//! | `/schemas/` | a page that lists code lists, message types and all files |
//! | `/schemas/index.json` | the same for machines, with the digest of every file |
//! | `/schemas/code-lists/NAME.csv`, `….json` | a code list by its name, whatever version of the shared types it belongs to |
//! | `/schemas/PATH` | a file as it is published; a `….csv` also as `….json` |
//!
//! Every answer carries an `ETag`, the SHA-256 of its bytes; whoever names it in `If-None-Match` gets 304 until the bytes change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};
use tracing::warn;

use super::Face;
use crate::crypto::sha256;
use crate::schema::Catalogue;
use crate::schema::codes::CodeLists;

/// Where code lists of all versions stand side by side.
const CODE_LISTS: &str = "code-lists/";

/// What is made of the schemas in force, once for each revision of the bundle.
#[derive(Debug, Default)]
pub(super) struct Indices(Mutex<Option<(i64, Arc<Index>)>>);

/// The two forms of the list of everything.
#[derive(Debug)]
struct Index {
    json: Vec<u8>,
    page: Vec<u8>,
}

impl Indices {
    fn of(&self, revision: i64, catalogue: &Catalogue) -> Arc<Index> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some((of, index)) if *of == revision => index.clone(),
            Some(_) | None => {
                let index = Arc::new(Index { json: index(catalogue, revision), page: page(catalogue, revision) });
                *kept = Some((revision, index.clone()));
                index
            }
        }
    }
}

/// `GET /schemas/`.
pub(super) async fn listing(State(face): State<Face>, headers: HeaderMap) -> Response {
    let snapshot = face.gateway.snapshot();
    let index = face.indices.of(snapshot.bundle_revision, &snapshot.catalogue);
    let mut response = answer(&headers, "text/html; charset=utf-8", index.page.clone());
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// `GET /schemas/{path}`.
pub(super) async fn file(State(face): State<Face>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let snapshot = face.gateway.snapshot();
    if path == "index.json" {
        let index = face.indices.of(snapshot.bundle_revision, &snapshot.catalogue);
        return answer(&headers, "application/json", index.json.clone());
    }
    match published(&snapshot.catalogue, &path) {
        Some((kind, bytes)) => answer(&headers, kind, bytes),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The bytes with their `ETag`, or 304 when the asker has them.
fn answer(asked: &HeaderMap, kind: &'static str, bytes: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", sha256(&bytes));
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    let has_it = known.into_iter().any(|given| given == "*" || given == tag);
    let head = [(header::ETAG, tag), (header::CACHE_CONTROL, "no-cache".to_owned())];
    let nosniff = [(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))];
    if has_it {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], nosniff, head, bytes).into_response()
}

/// A file by its path below `/schemas/`, or a table of one as JSON.
fn published(catalogue: &Catalogue, path: &str) -> Option<(&'static str, Vec<u8>)> {
    if let Some(own) = own_list(catalogue, path) {
        return Some(own);
    }
    let path = own_path(path)?;
    if let Some(bytes) = catalogue.file(&path) {
        let kind = match path.rsplit_once('.').map(|(_, ending)| ending) {
            Some("xsd" | "xml") => "application/xml; charset=utf-8",
            Some("csv") => "text/csv; charset=utf-8",
            Some(_) | None => "application/octet-stream",
        };
        return Some((kind, bytes.to_vec()));
    }
    let table = catalogue.file(&format!("{}.csv", path.strip_suffix(".json")?))?;
    as_json(table, &path)
}

fn as_json(table: &[u8], path: &str) -> Option<(&'static str, Vec<u8>)> {
    match rows(table).and_then(|rows| Ok(serde_json::to_vec_pretty(&rows)?)) {
        Ok(bytes) => Some(("application/json", bytes)),
        Err(error) => {
            warn!(%error, path, "a published table cannot be read");
            None
        }
    }
}

/// A list that stands in a message's schema, as the table that it would be.
fn own_list(catalogue: &Catalogue, path: &str) -> Option<(&'static str, Vec<u8>)> {
    let (name, ending) = path.strip_prefix(CODE_LISTS)?.rsplit_once('.')?;
    let codes = &catalogue.own_lists().get(name)?.codes;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let written = codes.iter().try_for_each(|code| writer.serialize(code));
    let table = written.map_err(|e| e.to_string()).and_then(|()| writer.into_inner().map_err(|e| e.to_string()));
    match (ending, table) {
        ("csv", Ok(table)) => Some(("text/csv; charset=utf-8", table)),
        ("json", Ok(table)) => as_json(&table, path),
        (_, Ok(_)) => None,
        (_, Err(error)) => {
            warn!(error, path, "a published table cannot be written");
            None
        }
    }
}

/// `code-lists/levels.csv` is `common/2/code-lists/levels.csv`; any other path is its own.
fn own_path(path: &str) -> Option<String> {
    let Some(file) = path.strip_prefix(CODE_LISTS) else { return Some(path.to_owned()) };
    let name = file.strip_suffix(".csv").or_else(|| file.strip_suffix(".json"))?;
    let version = CodeLists::version(name)?;
    Some(format!("common/{version}/{CODE_LISTS}{file}"))
}

/// A table as a list of objects: a member for each column, in the order of the file, left out where the cell is empty.
fn rows(table: &[u8]) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let mut reader = csv::Reader::from_reader(table);
    let columns = reader.headers()?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let cells = columns.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        let row: Map<String, Value> = cells.map(|(column, cell)| (column.to_owned(), Value::from(cell))).collect();
        rows.push(Value::Object(row));
    }
    Ok(rows)
}

/// A code list: its name, where it stands below `/schemas/`, how many codes.
fn code_lists(catalogue: &Catalogue) -> Vec<(&str, String, usize)> {
    let shared = CodeLists::names().filter_map(|name| {
        let path = format!("common/{}/{CODE_LISTS}{name}.csv", CodeLists::version(name)?);
        Some((name, path, catalogue.codes().list(name)?.len()))
    });
    let own = catalogue.own_lists().iter().map(|(name, list)| {
        let path = format!("{}/{}.xsd", list.of.folder(), list.of.name);
        (name.as_str(), path, list.codes.len())
    });
    let mut lists: Vec<_> = shared.chain(own).collect();
    lists.sort_unstable();
    lists
}

/// The names of the message types with their versions; the technical ones too.
fn types(catalogue: &Catalogue) -> BTreeMap<&str, Vec<u32>> {
    let mut types: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for known in catalogue.types() {
        types.entry(&known.name).or_default().push(known.version);
    }
    types
}

fn index(catalogue: &Catalogue, revision: i64) -> Vec<u8> {
    let lists = code_lists(catalogue).into_iter().map(|(name, path, codes)| {
        let place = format!("/schemas/{CODE_LISTS}{name}");
        let (csv, json) = (format!("{place}.csv"), format!("{place}.json"));
        json!({ "name": name, "from": format!("/schemas/{path}"), "codes": codes, "csv": csv, "json": json })
    });
    let types = types(catalogue).into_iter().map(|(name, versions)| {
        let info = catalogue.message(name);
        json!({ "name": name, "versions": versions, "ru": info.map(|i| &i.ru), "en": info.map(|i| &i.en) })
    });
    let files = catalogue.paths().map(|path| {
        let bytes = catalogue.file(path).unwrap_or_default();
        json!({ "path": format!("/schemas/{path}"), "sizeBytes": bytes.len(), "sha256": sha256(bytes) })
    });
    let index = json!({
        "revision": revision,
        "codeLists": lists.collect::<Vec<_>>(),
        "types": types.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
    });
    index.to_string().into_bytes()
}

/// The page that lists everything.
#[derive(Template)]
#[template(path = "schemas.html")]
struct Page<'a> {
    revision: i64,
    lists: Vec<(&'a str, String, usize)>,
    types: Vec<TypeRow<'a>>,
    shared: Vec<&'a str>,
}

/// One version of a message type on the page.
struct TypeRow<'a> {
    name: &'a str,
    version: u32,
    folder: String,
    ru: &'a str,
    en: &'a str,
    samples: Vec<(&'a str, &'a str)>,
}

fn page(catalogue: &Catalogue, revision: i64) -> Vec<u8> {
    let row = |known: &'_ crate::domain::MessageType| {
        let folder = known.folder();
        let samples = catalogue.paths().filter_map(|path| {
            let name = path.strip_prefix(folder.as_str())?.strip_prefix("/samples/")?;
            Some((path, name))
        });
        (folder.clone(), samples.collect::<Vec<_>>())
    };
    let types = catalogue.types().map(|known| {
        let (folder, samples) = row(known);
        let info = catalogue.message(&known.name);
        let (ru, en) = info.map_or(("", ""), |info| (info.ru.as_str(), info.en.as_str()));
        TypeRow { name: &known.name, version: known.version, folder, ru, en, samples }
    });
    let shared = catalogue.paths().filter(|path| !path.starts_with("social/") && !path.starts_with("technical/"));
    let page = Page {
        revision,
        lists: code_lists(catalogue),
        types: types.collect(),
        shared: shared.filter(|path| path.ends_with(".xsd")).collect(),
    };
    page.render().unwrap_or_default().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle;

    fn catalogue() -> Catalogue {
        Catalogue::from_files(&bundle::embedded()).unwrap()
    }

    #[test]
    fn every_code_list_is_served_by_its_name_as_csv_and_as_json_with_both_languages() {
        let catalogue = catalogue();
        for name in CodeLists::names() {
            let (kind, csv) = published(&catalogue, &format!("code-lists/{name}.csv")).unwrap();
            let version = CodeLists::version(name).unwrap();
            assert_eq!(Some(csv.as_slice()), catalogue.file(&format!("common/{version}/code-lists/{name}.csv")));
            assert_eq!(kind, "text/csv; charset=utf-8");
            let (kind, json) = published(&catalogue, &format!("code-lists/{name}.json")).unwrap();
            assert_eq!(kind, "application/json");
            let rows: Vec<Value> = serde_json::from_slice(&json).unwrap();
            let codes = catalogue.codes().list(name).unwrap();
            assert_eq!(rows.len(), codes.len(), "{name}");
            for (row, code) in rows.iter().zip(codes) {
                for (column, wanted) in [("code", &code.code), ("ru", &code.ru), ("en", &code.en)] {
                    assert_eq!(row[column].as_str(), Some(wanted.as_str()), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_table_keeps_its_other_columns_and_leaves_out_empty_cells() {
        let catalogue = catalogue();
        let row = |path: &str, code: &str| {
            let rows: Vec<Value> = serde_json::from_slice(&published(&catalogue, path).unwrap().1).unwrap();
            rows.into_iter().find(|row| row["code"] == code || row["name"] == code).unwrap()
        };
        assert_eq!(row("code-lists/document-kinds.json", "medical-conclusion")["data_class"], "health");
        let masks = row("common/1/code-lists/identity-document-kinds.json", "foreign-passport");
        assert_eq!(masks.get("series_mask"), None, "{masks}");
        assert_eq!(row("social/messages.json", "contract")["en"], "Contract, and copy of a contract");
    }

    #[test]
    fn a_list_of_one_message_is_served_like_the_others() {
        let (catalogue, name) = (catalogue(), "code-lists/document-response-refusal-ground");
        let (_, csv) = published(&catalogue, &format!("{name}.csv")).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        let wanted = "code,ru,en\nnot-identified,Гражданин не идентифицирован,The citizen was not identified\n";
        assert!(csv.starts_with(wanted), "{csv}");
        let (_, json) = published(&catalogue, &format!("{name}.json")).unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&json).unwrap();
        assert_eq!((rows.len(), rows[1]["code"].as_str()), (3, Some("no-legal-basis")));
        assert!(published(&catalogue, &format!("{name}.xsd")).is_none());
    }

    #[test]
    fn what_is_not_published_is_not_there() {
        let catalogue = catalogue();
        for path in [
            "",
            "code-lists/",
            "code-lists/none.csv",
            "code-lists/levels.xml",
            "code-lists/../messages.csv",
            "a.json",
            ".json",
        ] {
            assert!(published(&catalogue, path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_index_names_what_is_there_and_the_page_links_to_it() {
        let catalogue = catalogue();
        let index: Value = serde_json::from_slice(&index(&catalogue, 7)).unwrap();
        assert_eq!(index["revision"], 7);
        let files = index["files"].as_array().unwrap();
        assert_eq!(files.len(), catalogue.paths().count());
        for file in files {
            let path = file["path"].as_str().unwrap().strip_prefix("/schemas/").unwrap();
            assert_eq!(file["sha256"].as_str().unwrap(), sha256(catalogue.file(path).unwrap()).to_string());
        }
        let lists = index["codeLists"].as_array().unwrap();
        assert_eq!(lists.len(), CodeLists::names().count() + catalogue.own_lists().len());
        for list in lists {
            for member in ["from", "csv", "json"] {
                let path = list[member].as_str().unwrap().strip_prefix("/schemas/").unwrap();
                assert!(published(&catalogue, path).is_some(), "{list}");
            }
        }
        let page = String::from_utf8(page(&catalogue, 7)).unwrap();
        let links: Vec<&str> =
            page.split("href=\"/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(links.len() > 100, "{}", links.len());
        for link in links {
            assert!(link == "index.json" || published(&catalogue, link).is_some(), "{link}");
        }
        for known in catalogue.types() {
            assert!(page.contains(&format!("/schemas/{}/{}.xsd\"", known.folder(), known.name)), "{known}");
        }
    }

    #[test]
    fn whoever_has_the_bytes_is_not_sent_them_again() {
        let mut asked = HeaderMap::new();
        let first = answer(&asked, "text/csv", b"a".to_vec());
        let tag = first.headers()[header::ETAG].clone();
        assert_eq!((first.status(), tag.to_str().unwrap()), (StatusCode::OK, format!("\"{}\"", sha256(b"a")).as_str()));
        let weak = format!("\"other\", W/{}", tag.to_str().unwrap());
        asked.insert(header::IF_NONE_MATCH, weak.parse().unwrap());
        assert_eq!(answer(&asked, "text/csv", b"a".to_vec()).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answer(&asked, "text/csv", b"b".to_vec()).status(), StatusCode::OK);
    }

    #[test]
    fn the_list_is_made_once_for_each_revision() {
        let (catalogue, indices) = (catalogue(), Indices::default());
        let first = indices.of(1, &catalogue);
        assert!(Arc::ptr_eq(&first, &indices.of(1, &catalogue)));
        assert!(!Arc::ptr_eq(&first, &indices.of(2, &catalogue)));
    }
}
