//! What part 2 of article 28 of 442-FZ wants a regulation to define beside its deadlines: who takes part and on what basis,
//! what each of them does, the forms of exchange, what is required of information, how measures are carried out, and how
//! results are controlled. These parts describe; nothing is computed from them, people read them in `regulation show`.

use std::ops::Range;

use super::parse::{id, source, title, unknown};
use super::rules::Names;
use super::{Source, Title};
use crate::deadline::reader::{Problem, Table};
use crate::domain::RoleCode;

/// The descriptive parts of a regulation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// Who takes part: `[[body]]`.
    pub bodies: Vec<Body>,
    /// The order and the forms of the exchange: `[[exchange_form]]`.
    pub forms: Vec<Section>,
    /// What is required of the information, its form and its exchange: `[[requirement]]`.
    pub requirements: Vec<Section>,
    /// How measures are carried out, and how organisations are drawn in: `[[mechanism]]`.
    pub mechanisms: Vec<Section>,
    /// Control, and how results are evaluated: `[[control]]`.
    pub controls: Vec<Section>,
}

/// A body or an organisation that takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Its short name in the file.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// What it is.
    pub kind: BodyKind,
    /// The body that it belongs to, by its id.
    pub parent: Option<String>,
    /// The role that it, or what it consists of, holds in the exchange; `None`: it sends nothing through the gateway.
    pub role: Option<RoleCode>,
    /// On what basis it takes part.
    pub basis: Basis,
    /// More about the basis: which agreement, between whom.
    pub basis_note: Option<Title>,
    /// What it does within the interaction.
    pub activities: Vec<Activity>,
    /// Where its taking part is written.
    pub source: Source,
    /// Where it stands in the file.
    pub line: usize,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// A body of the region's executive power.
    Department,
    /// An organisation or office below another body.
    Subordinate,
    /// A federal body.
    Federal,
    /// Anything else: a municipal body, a working group, a company.
    Other,
}

/// On what basis a body takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The regulation itself binds it.
    Regulation,
    /// An agreement on interaction.
    Agreement,
    /// A contract of civil law.
    Contract,
}

/// One kind of activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// In Russian.
    pub ru: String,
    /// In English, where somebody wrote it.
    pub en: Option<String>,
    /// Its paragraph in the body's source.
    pub paragraph: String,
}

/// One statement of a descriptive part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its short name in the file.
    pub id: String,
    /// Its name.
    pub title: Title,
    /// What it says.
    pub text: Title,
    /// Where it is written.
    pub source: Source,
    /// Where it stands in the file.
    pub line: usize,
}

impl BodyKind {
    const ALL: [Self; 4] = [Self::Department, Self::Subordinate, Self::Federal, Self::Other];

    /// As the file writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Subordinate => "subordinate",
            Self::Federal => "federal",
            Self::Other => "other",
        }
    }

    /// In Russian.
    pub fn ru(self) -> &'static str {
        match self {
            Self::Department => "орган власти региона",
            Self::Subordinate => "подведомственная организация",
            Self::Federal => "федеральный орган",
            Self::Other => "иной участник",
        }
    }
}

impl Basis {
    const ALL: [Self; 3] = [Self::Regulation, Self::Agreement, Self::Contract];

    /// As the file writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regulation => "regulation",
            Self::Agreement => "agreement",
            Self::Contract => "contract",
        }
    }

    /// In Russian.
    pub fn ru(self) -> &'static str {
        match self {
            Self::Regulation => "регламент",
            Self::Agreement => "соглашение",
            Self::Contract => "договор",
        }
    }
}

impl Order {
    /// The bodies of this role.
    pub fn of_role<'a>(&'a self, role: &'a RoleCode) -> impl Iterator<Item = &'a Body> {
        self.bodies.iter().filter(move |body| body.role.as_ref() == Some(role))
    }

    /// The points of part 2 of article 28 about which the file says nothing, in their order.
    pub fn missing(&self) -> Vec<Point> {
        let empty = |point: &Point| match point.number {
            1 => self.bodies.is_empty(),
            2 => self.bodies.iter().all(|body| body.activities.is_empty()),
            3 => self.forms.is_empty(),
            4 => self.requirements.is_empty(),
            5 => self.mechanisms.is_empty(),
            _ => self.controls.is_empty(),
        };
        POINTS.into_iter().filter(empty).collect()
    }
}

/// A point of part 2 of article 28 of 442-FZ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Its number, 1 to 6.
    pub number: u32,
    /// The part of the file that answers it.
    pub part: &'static str,
    /// What it wants, in Russian.
    pub ru: &'static str,
    /// What it wants, in English.
    pub en: &'static str,
}

const POINTS: [Point; 6] = [
    Point {
        number: 1, part: "[[body]]", ru: "перечень участников", en: "the list of those who take part"
    },
    Point {
        number: 2, part: "activities", ru: "виды деятельности участников", en: "the kinds of their activities"
    },
    Point {
        number: 3,
        part: "[[exchange_form]]",
        ru: "порядок и формы взаимодействия",
        en: "the order and forms of interaction",
    },
    Point {
        number: 4,
        part: "[[requirement]]",
        ru: "требования к содержанию, формам и условиям обмена информацией",
        en: "requirements to the content, forms and conditions of the exchange of information",
    },
    Point {
        number: 5,
        part: "[[mechanism]]",
        ru: "механизм реализации мероприятий и порядок привлечения организаций",
        en: "the mechanism of the measures and how organisations are drawn in",
    },
    Point {
        number: 6,
        part: "[[control]]",
        ru: "порядок контроля и оценки результатов",
        en: "the order of control and of the evaluation of results",
    },
];

/// Reads the descriptive parts.
pub(super) fn read(root: &Table<'_, '_>, names: &Names) -> Order {
    let (mut bodies, mut spans) = (Vec::new(), Vec::new());
    for table in root.tables("body") {
        let span = table.span.clone();
        // A broken body is known by its name all the same, so that one mistake does not show as two.
        let (known, body) = (table.text("id").map(|t| t.value), read_body(table, names));
        spans.push((known, span.clone()));
        bodies.extend(body.map(|body| (body, span)));
    }
    twice(root, &spans);
    let known: Vec<&str> = spans.iter().filter_map(|(id, _)| id.as_deref()).collect();
    for (body, span) in &bodies {
        if let Some(parent) = body.parent.as_deref().filter(|parent| !known.contains(parent)) {
            root.error(span, unknown("орган (parent)", "body (parent)", parent, known.iter()));
        }
        if in_circle(body, &bodies) {
            let id = &body.id;
            let problem = Problem::new(
                format!(
                    "орган `{id}` подведомствен сам себе по кругу `parent`; у одного из круга уберите или исправьте `parent`"
                ),
                format!(
                    "the body `{id}` belongs to itself in a circle of `parent`; remove or mend the `parent` of one of the circle"
                ),
            );
            root.error(span, problem);
        }
    }
    Order {
        bodies: bodies.into_iter().map(|(body, _)| body).collect(),
        forms: sections(root, "exchange_form", names),
        requirements: sections(root, "requirement", names),
        mechanisms: sections(root, "mechanism", names),
        controls: sections(root, "control", names),
    }
}

fn read_body(table: Table<'_, '_>, names: &Names) -> Option<Body> {
    let line = table.line();
    let (body_id, name, source) = (code(&table), title(&table, "title"), source(&table, names));
    let kind = table.need_parsed("kind", |text| one_of(text, "kind", &BodyKind::ALL.map(|k| (k.as_str(), k))));
    let parent = table.text("parent").map(|t| t.value);
    let role = table.parsed("role", |text| names.role(text));
    let basis = table.need_parsed("basis", |text| one_of(text, "basis", &Basis::ALL.map(|b| (b.as_str(), b))));
    let basis_note = table.has("basis_note").then(|| title(&table, "basis_note")).flatten();
    let activities = table.tables("activities").into_iter().filter_map(read_activity).collect();
    if kind == Some(BodyKind::Subordinate) && !table.has("parent") {
        let problem = Problem::new(
            "подведомственной организации (kind = \"subordinate\") нужен `parent`: id того [[body]], кому она подведомственна",
            "what is subordinate (kind = \"subordinate\") needs `parent`: the id of the [[body]] that it belongs to",
        );
        table.error(&table.span, problem);
    }
    table.finish()?;
    Some(Body {
        id: body_id?,
        title: name?,
        kind: kind?,
        parent,
        role,
        basis: basis?,
        basis_note,
        activities,
        source: source?,
        line,
    })
}

fn read_activity(table: Table<'_, '_>) -> Option<Activity> {
    let (ru, en, paragraph) = (table.need("ru"), table.text("en"), table.need("paragraph"));
    table.finish()?;
    Some(Activity { ru: ru?.value, en: en.map(|t| t.value), paragraph: paragraph?.value })
}

fn sections(root: &Table<'_, '_>, part: &'static str, names: &Names) -> Vec<Section> {
    let (mut sections, mut spans) = (Vec::new(), Vec::new());
    for table in root.tables(part) {
        let line = table.line();
        spans.push((table.text("id").map(|t| t.value), table.span.clone()));
        let (section_id, name, text) = (code(&table), title(&table, "title"), title(&table, "text"));
        let source = source(&table, names);
        let (Some(()), Some(id), Some(title), Some(text), Some(source)) =
            (table.finish(), section_id, name, text, source)
        else {
            continue;
        };
        sections.push(Section { id, title, text, source, line });
    }
    twice(root, &spans);
    sections
}

/// A short name of the file: the same letters as a role's code.
fn code(table: &Table<'_, '_>) -> Option<String> {
    table.need_parsed("id", |text| id(RoleCode::parse)(text).map(|_| text.to_owned()))
}

fn one_of<T: Copy>(text: &str, key: &str, allowed: &[(&str, T)]) -> Result<T, Problem> {
    let found = allowed.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words = allowed.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        Problem::new(format!("`{key}` = `{text}`: можно {words}"), format!("`{key}` = `{text}`: allowed are {words}"))
    })
}

/// Reports each id that stands a second time.
fn twice(root: &Table<'_, '_>, spans: &[(Option<String>, Range<usize>)]) {
    for (index, (id, span)) in spans.iter().enumerate() {
        let Some(id) = id else { continue };
        if spans.iter().take(index).any(|(before, _)| before.as_ref() == Some(id)) {
            let problem = Problem::new(
                format!("id `{id}` стоит здесь второй раз; дайте другой"),
                format!("the id `{id}` stands here a second time; give another"),
            );
            root.error(span, problem);
        }
    }
}

/// Whether the way up from a body comes back to it.
fn in_circle(body: &Body, bodies: &[(Body, Range<usize>)]) -> bool {
    let mut parent = body.parent.as_deref();
    // No way up without a circle is longer than there are bodies.
    for _ in bodies {
        let Some(id) = parent else { return false };
        if id == body.id {
            return true;
        }
        parent = bodies.iter().find(|(b, _)| b.id == id).and_then(|(b, _)| b.parent.as_deref());
    }
    false
}
