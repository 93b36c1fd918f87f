//! Measures by their code: each is of a kind of help that the document names.

use roxmltree::Node;

use super::{Found, child, children, value};
use crate::schema::ViolatedRule;
use crate::schema::codes::CodeLists;

/// Checks what the body's type asks for. Bodies without such codes pass.
pub(super) fn check(root: Node<'_, '_>, codes: &CodeLists, found: &mut Found<'_, '_>) {
    let of = |measure: Node<'_, '_>| measure.text().and_then(|code| codes.belongs_to("help-measures", code));
    match root.tag_name().name() {
        "Programme" => {
            for measure in child(root, "measures").into_iter().flat_map(|list| children(list, "measure")) {
                let coded = child(measure, "helpMeasure");
                if let Some(coded) = coded.filter(|coded| of(*coded) != value(measure, "helpKind")) {
                    let ru = "мероприятие по справочнику относится к другому виду помощи (helpKind)";
                    found.add(
                        coded,
                        ViolatedRule::FieldExcluded,
                        ru,
                        "the measure is of another kind of help (helpKind)",
                    );
                }
            }
        }
        "Application" => {
            let kinds = child(root, "helpKinds").into_iter().flat_map(|list| children(list, "helpKind"));
            let wanted: Vec<Option<&str>> = kinds.map(|kind| kind.text()).collect();
            let measures = child(root, "helpMeasures").into_iter().flat_map(|list| children(list, "helpMeasure"));
            for coded in measures.filter(|coded| !wanted.contains(&of(*coded))) {
                let ru = "мероприятие относится к виду помощи, которого нет в helpKinds";
                let en = "the measure is of a kind of help that is not in helpKinds";
                found.add(coded, ViolatedRule::FieldExcluded, ru, en);
            }
        }
        _ => {}
    }
}
