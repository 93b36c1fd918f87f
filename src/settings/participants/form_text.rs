//! The text of a form's field and its value in the file.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::form::{Field, Shape};
use super::{Said, said};

/// The keys of a contact, in the order of the form.
const CONTACT: [&str; 5] = ["name", "post", "phone", "mail", "hours"];

/// The items of a list as it is typed.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', ';']).map(str::trim).filter(|item| !item.is_empty())
}

/// Whether two texts of a list say the same.
pub(super) fn same_list(a: &str, b: &str) -> bool {
    items(a).eq(items(b))
}

fn plain(item: &Item) -> String {
    match item.as_value() {
        Some(Value::String(text)) => text.value().clone(),
        Some(Value::Integer(number)) => number.value().to_string(),
        Some(Value::Boolean(flag)) => flag.value().to_string(),
        Some(Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::InlineTable(_)) | None => String::new(),
    }
}

fn value_text(value: &Value) -> String {
    plain(&Item::Value(value.clone()))
}

/// The tables of an array, written either way.
fn tables(item: &Item) -> Vec<&dyn TableLike> {
    match (item.as_array(), item.as_array_of_tables()) {
        (Some(array), _) => array.iter().filter_map(|v| v.as_inline_table().map(|t| t as &dyn TableLike)).collect(),
        (None, Some(tables)) => tables.iter().map(|t| t as &dyn TableLike).collect(),
        (None, None) => Vec::new(),
    }
}

fn strings(item: &Item) -> Vec<String> {
    item.as_array().map(|array| array.iter().map(value_text).collect()).unwrap_or_default()
}

/// A value of the file as the form shows it.
pub(super) fn read(shape: Shape, item: &Item) -> String {
    let lines: Vec<String> = match shape {
        Shape::Text | Shape::Number | Shape::Flag => return plain(item),
        Shape::List => strings(item),
        Shape::Roles => {
            let line = |table: &dyn TableLike| {
                let role = table.get("role").map(plain).unwrap_or_default();
                match table.get("territories").map(strings).unwrap_or_default() {
                    own if own.is_empty() => role,
                    own => format!("{role}: {}", own.join(", ")),
                }
            };
            tables(item).into_iter().map(line).collect()
        }
        Shape::Versions => {
            let numbers = |item: &Item| match item.as_array() {
                Some(array) => array.iter().map(value_text).collect::<Vec<_>>().join(", "),
                None => plain(item),
            };
            let pairs = item.as_table_like().into_iter().flat_map(|table| table.iter());
            pairs.map(|(name, item)| format!("{name}: {}", numbers(item))).collect()
        }
        Shape::Table => {
            let pairs = item.as_table_like().into_iter().flat_map(|table| table.iter());
            pairs.map(|(name, item)| format!("{name}: {}", plain(item))).collect()
        }
        Shape::Contacts => {
            let line = |table: &dyn TableLike| {
                let parts = CONTACT.map(|key| table.get(key).map(plain).unwrap_or_default());
                parts.join(" | ").trim_end_matches([' ', '|']).to_owned()
            };
            tables(item).into_iter().map(line).collect()
        }
        Shape::Certificates => Vec::new(),
    };
    lines.join("\n")
}

/// Puts the text of a field into the file; an empty one takes the key out.
pub(super) fn write(document: &mut DocumentMut, field: Field, text: &str) -> Result<(), Said> {
    let new = if text.is_empty() { None } else { Some(made(field.shape(), text)?) };
    let (table, key) = match field.path() {
        [key] => (document.as_table_mut() as &mut dyn TableLike, *key),
        [outer, key] => match parent(document, outer, new.is_some())? {
            Some(table) => (table, *key),
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    match (new, table.get_mut(key)) {
        (None, _) => drop(table.remove(key)),
        (Some(new), Some(old)) => replace(old, new),
        (Some(new), None) => drop(table.insert(key, Item::Value(new))),
    }
    let is_empty = table.is_empty();
    if let ([outer, _], true) = (field.path(), is_empty) {
        document.as_table_mut().remove(outer);
    }
    Ok(())
}

/// A value in the old one's place, with the comment that stands behind it.
fn replace(old: &mut Item, new: Value) {
    let decor = old.as_value().map(|value| value.decor().clone());
    *old = value(new);
    if let (Some(decor), Some(value)) = (decor, old.as_value_mut()) {
        *value.decor_mut() = decor;
    }
}

/// The table that holds a key; made when it is missing and `wanted`.
fn parent<'d>(document: &'d mut DocumentMut, name: &str, wanted: bool) -> Result<Option<&'d mut dyn TableLike>, Said> {
    let root = document.as_table_mut();
    if !root.contains_key(name) {
        if !wanted {
            return Ok(None);
        }
        let made = match name {
            "transport" => value(InlineTable::new()),
            _ => Item::Table(Table::new()),
        };
        root.insert(name, made);
    }
    let found = root.get_mut(name).and_then(Item::as_table_like_mut);
    let wrong = || said(format!("`{name}` в файле — не таблица"), format!("`{name}` of the file is no table"));
    found.map(Some).ok_or_else(wrong)
}

fn array(values: impl Iterator<Item = Value>) -> Value {
    Value::Array(values.collect::<Array>())
}

fn pair(item: &str) -> Result<(&str, &str), Said> {
    let pair = item.split_once(':').map(|(name, rest)| (name.trim(), rest.trim()));
    pair.filter(|(name, rest)| !name.is_empty() && !rest.is_empty()).ok_or_else(|| {
        said(
            format!("`{item}`: нужно ИМЯ: ЗНАЧЕНИЕ, по одному на строке"),
            format!("`{item}`: NAME: VALUE is needed, one a line"),
        )
    })
}

fn commas(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn number(text: &str) -> Result<Value, Said> {
    let number: Result<i64, _> = text.parse();
    number
        .map(Value::from)
        .map_err(|_| said(format!("`{text}`: нужно целое число"), format!("`{text}`: a whole number is needed")))
}

/// The value that a text stands for.
fn made(shape: Shape, text: &str) -> Result<Value, Said> {
    match shape {
        Shape::Text => Ok(Value::from(text)),
        Shape::Number => number(text),
        Shape::Flag => match text {
            "true" => Ok(Value::from(true)),
            "false" => Ok(Value::from(false)),
            other => {
                Err(said(format!("`{other}`: нужно true или false"), format!("`{other}`: true or false is needed")))
            }
        },
        Shape::List => Ok(array(items(text).map(Value::from))),
        Shape::Roles => Ok(array(items(text).map(role))),
        Shape::Versions => {
            let mut table = InlineTable::new();
            for item in items(text) {
                let (name, versions) = pair(item)?;
                let numbers: Vec<Value> = commas(versions).map(number).collect::<Result<_, _>>()?;
                let one = (numbers.len() == 1).then(|| numbers.first().cloned()).flatten();
                table.insert(name, one.unwrap_or_else(|| array(numbers.into_iter())));
            }
            Ok(Value::InlineTable(table))
        }
        Shape::Table => {
            let mut table = InlineTable::new();
            for item in items(text) {
                let (name, rest) = pair(item)?;
                table.insert(name, Value::from(rest));
            }
            Ok(Value::InlineTable(table))
        }
        Shape::Contacts => Ok(array(items(text).map(contact))),
        Shape::Certificates => Err(said("сертификаты загружаются", "certificates are uploaded")),
    }
}

fn role(item: &str) -> Value {
    let (role, territories) = item.split_once(':').unwrap_or((item, ""));
    let mut table = InlineTable::new();
    table.insert("role", Value::from(role.trim()));
    let own: Vec<Value> = commas(territories).map(Value::from).collect();
    if !own.is_empty() {
        table.insert("territories", array(own.into_iter()));
    }
    Value::InlineTable(table)
}

fn contact(item: &str) -> Value {
    let mut table = InlineTable::new();
    for (key, part) in CONTACT.into_iter().zip(item.splitn(CONTACT.len(), '|').map(str::trim)) {
        if key == "name" || !part.is_empty() {
            table.insert(key, Value::from(part));
        }
    }
    Value::InlineTable(table)
}

#[cfg(test)]
mod tests {
    use super::super::form::{Form, field_at};
    use super::*;

    const FILE: &str = "# Полиция\nid = \"police\"\nname = \"Полиция\" # как в приказе\nregulation = \"yugra\"\n\
        zone = \"Asia/Yekaterinburg\"\nversions = { termination = 1, programme = [1, 2] }\n\
        role = [{ role = \"police\", territories = [\"718\"] }]\ntransport = { kind = \"http\", url = \"https://a.example\" }\n\
        certificate = [{ file = \"police.crt\" }]\n";

    #[test]
    fn what_is_not_touched_stays_as_it_stands() {
        let mut form = Form::read(FILE).unwrap();
        assert_eq!(form.write(FILE).unwrap(), FILE);
        form.set(Field::Name, "Полиция города");
        form.set(Field::InFlightMax, "4");
        let new = form.write(FILE).unwrap();
        assert!(new.starts_with("# Полиция\nid = \"police\"\nname = \"Полиция города\" # как в приказе\n"), "{new}");
        assert!(new.ends_with("in_flight_max = 4\n") && new.contains("police.crt"), "{new}");
        assert_eq!(Form::read(&new).unwrap(), form);
    }

    #[test]
    fn every_shape_reads_as_it_was_written() {
        let texts = [
            (Field::Role, "health: 718, 719\nuszn"),
            (Field::Versions, "programme: 1, 2\ntermination: 1"),
            (Field::DataClasses, "general\nhealth"),
            (Field::PlainAuth, "bearer"),
            (Field::PlainPaths, "notice: /notices"),
            (Field::PlainResponses, "document-request: document-response/1"),
            (Field::Contact, "Иванова А. А. | дежурный |  | a@example.org\nПетров"),
            (Field::Ordered, "true"),
        ];
        let mut form = Form::read(FILE).unwrap();
        for (field, text) in texts {
            form.set(field, text);
        }
        let new = form.write(FILE).unwrap();
        assert_eq!(Form::read(&new).unwrap(), form, "{new}");
        // And everything out again.
        for (field, _) in texts {
            form.set(field, "");
        }
        assert!(!form.write(&new).unwrap().contains("plain"));
    }

    #[test]
    fn a_place_names_its_field() {
        for (line, column, field) in [
            (2, 6, Some(Field::Id)),
            (8, 37, Some(Field::TransportUrl)),
            (8, 13, Some(Field::TransportKind)),
            (7, 18, Some(Field::Role)),
            (9, 16, Some(Field::Certificate)),
            (5, 0, Some(Field::Zone)),
            (1, 0, None),
            (0, 0, None),
            (99, 3, None),
        ] {
            assert_eq!(field_at(FILE, line, column), field, "{line}:{column}");
        }
    }

    #[test]
    fn what_is_missing_or_has_no_form_is_said_at_its_field() {
        let mut form = Form::read(FILE).unwrap();
        form.set(Field::Name, " ");
        form.set(Field::InFlightMax, "many");
        form.set(Field::Versions, "programme");
        let fields: Vec<_> = form.write(FILE).unwrap_err().into_iter().map(|p| p.field.unwrap()).collect();
        assert_eq!(fields, [Field::Name, Field::Versions, Field::InFlightMax]);
    }
}
