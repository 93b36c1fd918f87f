//! The texts of the pages in both languages, from `locales/<language>/*.ftl`, in Mozilla's Fluent: it knows how each language counts.
//!
//! In a template: `{{ frame.t.t("key") }}`; `{{ frame.t.n("key", count) }}` for a text that counts `$n`; `{{ frame.t.a("key", "name", value) }}`
//! for one with a value; `{{ frame.t.word("family", word) }}` for the word of a closed list. Keys are written out in these calls, so that
//! a test finds one that is missing in a language and one that nobody uses.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use include_dir::{Dir, include_dir};

static LOCALES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/locales");

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Lang {
    /// Russian, which comes first.
    #[default]
    Ru,
    /// English.
    En,
}

impl Lang {
    /// Its word in addresses and in `lang`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Ru, Self::En].into_iter().find(|lang| lang.as_str() == word)
    }

    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Ru => Self::En,
            Self::En => Self::Ru,
        }
    }
}

struct Bundles {
    ru: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

static BUNDLES: LazyLock<Bundles> = LazyLock::new(|| Bundles { ru: bundle(Lang::Ru), en: bundle(Lang::En) });

fn bundle(lang: Lang) -> FluentBundle<FluentResource> {
    // Decides how the language counts.
    let language: unic_langid::LanguageIdentifier = lang.as_str().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Marks of direction around values: both languages run from left to right.
    bundle.set_use_isolating(false);
    for file in LOCALES.get_dir(lang.as_str()).into_iter().flat_map(Dir::files) {
        let text = file.contents_utf8().unwrap_or_default().to_owned();
        // What cannot be read of a file is found by a test.
        let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, _)| resource);
        drop(bundle.add_resource(resource));
    }
    bundle
}

/// The texts of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Texts {
    lang: Lang,
}

impl Texts {
    pub(super) fn of(lang: Lang) -> Self {
        Self { lang }
    }

    /// The language's word.
    pub(super) fn lang(self) -> &'static str {
        self.lang.as_str()
    }

    /// Of a text that is kept in both languages, the one for the reader.
    pub(super) fn pick<'p>(self, ru: &'p str, en: &'p str) -> &'p str {
        match self.lang {
            Lang::Ru => ru,
            Lang::En => en,
        }
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        match self.lang {
            Lang::Ru => &BUNDLES.ru,
            Lang::En => &BUNDLES.en,
        }
    }

    /// Whether there is such a text.
    pub(super) fn has(self, key: &str) -> bool {
        self.bundle().has_message(key)
    }

    fn format(self, key: &str, args: &FluentArgs<'_>) -> String {
        let bundle = self.bundle();
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else { return key.to_owned() };
        let mut errors = Vec::new();
        bundle.format_pattern(pattern, Some(args), &mut errors).into_owned()
    }

    /// A text.
    pub(super) fn t(self, key: &str) -> String {
        self.format(key, &FluentArgs::new())
    }

    /// A text that counts: `$n`.
    pub(super) fn n(self, key: &str, count: impl TryInto<i64>) -> String {
        let mut args = FluentArgs::new();
        args.set("n", FluentValue::from(count.try_into().unwrap_or(i64::MAX)));
        self.format(key, &args)
    }

    /// A text with one value.
    pub(super) fn a(self, key: &str, name: &str, value: impl Into<String>) -> String {
        self.a2(key, name, value, "", "")
    }

    /// A text with two values.
    pub(super) fn a2(
        self,
        key: &str,
        name: &str,
        value: impl Into<String>,
        second: &str,
        second_value: impl Into<String>,
    ) -> String {
        let mut args = FluentArgs::new();
        args.set(name.to_owned(), FluentValue::from(value.into()));
        if !second.is_empty() {
            args.set(second.to_owned(), FluentValue::from(second_value.into()));
        }
        self.format(key, &args)
    }

    /// The word of a closed list: the text `<family>-<word>`. One that is not there, such as the type of a message that a later version
    /// brought, stays as it is.
    pub(super) fn word(self, family: &str, word: &str) -> String {
        let key = format!("{family}-{word}");
        if self.has(&key) { self.t(&key) } else { word.to_owned() }
    }
}

#[cfg(test)]
mod tests;
