//! The faults in Russian, for answers that people read first.

use super::FaultCode;

/// The bland sentences in Russian, by code. `docs/agencies.ru.md` prints the same.
const RU: &[(&str, &str)] = &[
    ("not-utf8", "Документ не в UTF-8."),
    ("encoding-forbidden", "Объявлена другая кодировка; можно только UTF-8."),
    ("xml-version", "Читается только XML 1.0."),
    ("not-xml", "Это не правильный XML с пространствами имён."),
    ("dtd-forbidden", "Объявление типа документа (DTD) не допускается."),
    ("comment-forbidden", "Комментарии не допускаются."),
    ("pi-forbidden", "Инструкции обработки не допускаются."),
    ("too-deep", "Слишком глубокая вложенность."),
    ("too-many-nodes", "Слишком много узлов."),
    ("xsi-forbidden", "Атрибуты `xsi:*` не допускаются."),
    ("duplicate-id", "Одно значение Id встречается дважды."),
    ("not-envelope", "Документ не является конвертом."),
    ("header-invalid", "Неверное значение поля заголовка."),
    ("signature-missing", "Конверт не подписан."),
    ("signature-many", "В конверте больше одной подписи."),
    ("signature-policy", "Такая форма подписи не допускается."),
    ("algorithm-forbidden", "Алгоритм подписи не из списка."),
    ("digest-mismatch", "Содержание изменено после подписания."),
    ("signature-invalid", "Подпись неверна."),
    ("sender-unknown", "Отправитель неизвестен."),
    ("certificate-unknown", "Сертификат не зарегистрирован за отправителем."),
    ("certificate-expired", "Сертификат сейчас не действует."),
    ("ticket-invalid", "Нужен действующий билет."),
    ("token-invalid", "Нужен действующий токен."),
    ("recipient-unknown", "Получатель неизвестен."),
    ("route-forbidden", "Этот тип этому получателю посылать нельзя."),
    ("queue-mismatch", "Очередь принадлежит другому участнику."),
    ("not-found", "Для вас такого нет."),
    ("id-reused", "Идентификатор уже использован для другого содержания."),
    ("pull-reused", "Идентификатор выборки использован, её срок истёк."),
    ("obligation-ended", "Обязательство уже не открыто."),
    ("case-closed", "Дело закрыто."),
    ("step-missing", "Сначала нужен другой шаг дела."),
    ("too-large", "Документ слишком велик."),
    ("media-type-wrong", "Тело не той формы, которая вам назначена."),
    ("created-in-future", "`Created` слишком далеко в будущем."),
    ("created-too-old", "`Created` слишком давно."),
    ("expired", "`Expires` уже прошёл."),
    ("type-unknown", "Тип сообщения или его версия неизвестны."),
    ("schema-invalid", "Тело не соответствует схеме."),
    ("content-invalid", "Значение в теле недопустимо (контрольное число, дата в будущем)."),
    ("translation-failed", "Тело не удалось перевести в каноническую форму."),
    ("attachment-invalid", "Вложение не такое, как указано в списке."),
    ("reference-unknown", "Сообщение или дело, на которое ссылаются, неизвестно."),
    ("role-vacant", "Нужную роль на этой территории никто не исполняет."),
    ("too-fast", "Слишком много запросов."),
    ("not-now", "Шлюз сейчас не может принять сообщение."),
];

impl FaultCode {
    /// The bland sentence in Russian.
    pub fn ru(self) -> &'static str {
        RU.iter().find(|(code, _)| *code == self.code()).map_or(self.bland(), |(_, text)| text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_said_in_russian_as_the_page_prints_it() {
        let page = include_str!("../../docs/agencies.ru.md");
        for code in FaultCode::ALL {
            assert_ne!(code.ru(), code.bland(), "{code}");
            let row = format!("| `{code}` | {} |", code.http_status());
            let line = page.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("no row of {code}"));
            assert!(line.ends_with(&format!("| {} |", code.ru())), "{line}");
        }
    }
}
