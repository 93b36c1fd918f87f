//! Terms in Russian words, for people.

use super::{Span, Term, Unit};

impl Term {
    /// The term in Russian: `5 рабочих дней`, `до 5-го числа следующего месяца`.
    pub fn ru(&self) -> String {
        match self {
            Self::Immediately => "незамедлительно".to_owned(),
            Self::After(span) => counted(*span, false),
            Self::Before(span) => format!("за {}", counted(*span, true)),
            Self::NextMonth { day } => format!("до {day}-го числа следующего месяца"),
            Self::NextQuarter { day } => format!("до {day}-го числа первого месяца следующего квартала"),
            Self::NextYear { month, day } => format!("до {day:02}.{month:02} следующего года"),
            Self::On(field) => format!("в дату из документа ({field})"),
            Self::UntilAge(age) => format!("до достижения возраста {age} {}", form(*age, ["года", "лет", "лет"])),
            Self::LeastOf(terms) => {
                let terms: Vec<String> = terms.iter().map(Self::ru).collect();
                format!("что наступит раньше: {}", terms.join("; "))
            }
        }
    }
}

/// A count with its noun. After «за» the noun stands in the accusative, which differs only for one week.
fn counted(Span { count, unit }: Span, accusative: bool) -> String {
    let forms = match unit {
        Unit::Hour => ["час", "часа", "часов"],
        Unit::WorkingDay => ["рабочий день", "рабочих дня", "рабочих дней"],
        Unit::Day => ["день", "дня", "дней"],
        Unit::Week if accusative => ["неделю", "недели", "недель"],
        Unit::Week => ["неделя", "недели", "недель"],
        Unit::Month => ["месяц", "месяца", "месяцев"],
        Unit::Year => ["год", "года", "лет"],
    };
    format!("{count} {}", form(count, forms))
}

/// The Russian plural: 1, 21 день; 2-4, 22 дня; 0, 5-20, 25 дней.
fn form(count: u32, [one, few, many]: [&'static str; 3]) -> &'static str {
    match (count % 10, count % 100) {
        (_, 11..=14) => many,
        (1, _) => one,
        (2..=4, _) => few,
        _ => many,
    }
}
