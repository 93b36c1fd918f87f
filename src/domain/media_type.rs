//! Media types as headers name them.

/// A media type without its parameters, in lower case: `application/xml` of `Application/XML; charset=utf-8`.
pub fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether an [`essence`] names XML: `application/xml`, `text/xml`, `application/soap+xml`.
pub fn is_xml(essence: &str) -> bool {
    essence.ends_with("/xml") || essence.ends_with("+xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_xml_is_told_by_the_type_without_parameters() {
        for (media_type, xml) in [
            ("Application/XML; charset=utf-8", true),
            ("text/xml", true),
            (" application/soap+xml ;x=y", true),
            ("application/json; profile=\"a/xml\"", false),
            ("xml", false),
            ("", false),
        ] {
            assert_eq!(is_xml(&essence(media_type)), xml, "{media_type}");
        }
    }
}
