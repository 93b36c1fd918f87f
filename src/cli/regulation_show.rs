//! What `mezhved regulation show` prints for people.

use super::regulation_words::{both, edition, matching, party, period, settle, source, start, term, term_choice, warn};
use super::{regulation_case, regulation_order};
use crate::deadline::{Again, ExchangeBasis, Opens, Regulation, Roll, Rule};
use crate::domain::{DataClass, Participant, RoleCode, RuleId};

/// The whole regulation; `people` are all participants of the folder.
pub(super) fn as_text(regulation: &Regulation, people: &[Participant]) -> String {
    let mut lines = head(regulation);
    let before = [
        ("Документы / documents", documents(regulation)),
        ("Роли и кто их исполняет / roles and who holds them", roles(regulation, people)),
    ];
    let exchanged = [("Обмен / exchanges", exchanges(regulation))];
    let after = [
        ("Сроки / deadlines", regulation.rules.iter().flat_map(|r| rule(regulation, r)).collect()),
        ("Кому и когда сообщают / who is told when", ladder(regulation)),
        ("Таблицы сроков / term tables", term_tables(regulation)),
        ("Нормы, в которые укладываются цепочки сроков / norms for chains of terms", norms(regulation)),
        ("Мероприятия / measures", measures(regulation)),
        ("Выключено / off", off(regulation)),
    ];
    let described = before.into_iter().chain(regulation_order::as_text(regulation));
    let of_cases = exchanged.into_iter().chain(regulation_case::as_text(regulation));
    for (title, section) in described.chain(of_cases).chain(after) {
        if !section.is_empty() {
            lines.extend([String::new(), title.to_owned()]);
            lines.extend(section);
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn head(r: &Regulation) -> Vec<String> {
    vec![
        both(&r.title.ru, &r.title.en),
        format!("{} ({})", r.id, r.file),
        format!("пояс / zone: {}; календарь / calendar: {}", r.zone, r.calendar),
        format!("действует с / in force from: {}", r.effective_from),
        format!(
            "предупреждения, которые даются по дням / warnings that are given by day: {}",
            r.warn_at.format("%H:%M")
        ),
    ]
}

/// The ladder, each step with its groups, and which rules do not rest on days off.
fn ladder(r: &Regulation) -> Vec<String> {
    let mut lines: Vec<String> = r
        .escalation
        .iter()
        .map(|rung| {
            let rules: Vec<&str> = rung.rules.iter().map(RuleId::as_str).collect();
            let only = if rules.is_empty() { String::new() } else { format!(" ({})", rules.join(", ")) };
            format!("  {}: {}{only}", both(&rung.at.ru(), &rung.at.to_string()), rung.to.join(", "))
        })
        .collect();
    if r.escalation.iter().all(|rung| rung.line == 0) && !lines.is_empty() {
        lines.push("  (обычная лестница: своей в файле нет / the usual ladder: the file has none)".to_owned());
    }
    let always: Vec<&str> = r.rules.iter().filter(|rule| rule.round_the_clock).map(|rule| rule.id.as_str()).collect();
    if !always.is_empty() {
        lines.push(format!("  и в нерабочие дни / on days off too: {}", always.join(", ")));
    }
    lines
}

fn documents(r: &Regulation) -> Vec<String> {
    r.documents.iter().flat_map(|d| [format!("  {}: {}", d.id, d.title), format!("    {}", edition(Some(d)))]).collect()
}

fn roles(r: &Regulation, people: &[Participant]) -> Vec<String> {
    let held_by = |code: &RoleCode| {
        let own = people.iter().filter(|p| p.regulation == r.id);
        let holders: Vec<String> = own.filter_map(|p| held(p, code)).collect();
        if holders.is_empty() { "никто / nobody".to_owned() } else { holders.join(", ") }
    };
    r.roles
        .iter()
        .map(|role| format!("  {}: {} — {}", role.code, both(&role.title.ru, &role.title.en), held_by(&role.code)))
        .collect()
}

/// `uszn-surgut (71876000)`; without territories it holds the role everywhere.
fn held(participant: &Participant, code: &RoleCode) -> Option<String> {
    let holding = participant.roles.iter().find(|h| h.role == *code)?;
    let places: Vec<&str> = holding.territories.iter().map(|t| t.as_str()).collect();
    let id = &participant.id;
    Some(if places.is_empty() { id.to_string() } else { format!("{id} (ОКТМО {})", places.join(" ")) })
}

fn codes(codes: &[RoleCode]) -> String {
    codes.iter().map(RoleCode::as_str).collect::<Vec<_>>().join(", ")
}

fn exchanges(r: &Regulation) -> Vec<String> {
    let mut lines = Vec::new();
    for exchange in &r.exchanges {
        let elsewhere =
            if exchange.elsewhere { " (другой территории / of another territory)" } else { "" };
        let consent = match exchange.basis {
            ExchangeBasis::Consent => " (только с согласия / with a consent only)",
            ExchangeBasis::Law => "",
        };
        let (from, to) = (codes(&exchange.from), codes(&exchange.to));
        lines.push(format!("  {}: {from} → {to}{elsewhere}{consent}", exchange.message));
        let written = exchange.source.iter().flat_map(|written| source(r, written));
        lines.extend(written.map(|line| format!("    {line}")));
        if let Some(classes) = &exchange.data_classes {
            lines.push(format!("    классы данных / data classes: {}", DataClass::words(classes)));
        }
        if let Some(own) = &exchange.own {
            lines.push(format!(
                "    {}: только свои, по / own ones only, by {}; целиком / whole: {}",
                own.each,
                own.by,
                codes(&own.whole)
            ));
        }
    }
    if let Some(case) = &r.case {
        lines.push(format!("  дело начинает / a case begins with: {}", case.messages.join(", ")));
        lines.extend(case.closes.iter().map(|closes| format!("  дело закрывает / a case ends with: {closes}")));
        if let Some(limit) = &case.limit {
            let (plain, extended) = (term(&limit.term), term(&limit.extended));
            lines.push(format!("  предел сопровождения / limit of accompaniment: {plain}; {extended}"));
            if !limit.rows.is_empty() {
                lines
                    .push(format!("    строки таблицы сроков / rows of the table of terms: {}", limit.rows.join(", ")));
            }
            lines.extend(source(r, &limit.source).iter().map(|line| format!("    {line}")));
        }
    }
    lines
}

/// One deadline: its name, what happens, and where it is written.
fn rule(r: &Regulation, rule: &Rule) -> Vec<String> {
    let mut lines = vec![String::new(), format!("  {}: {}", rule.id, both(&rule.title.ru, &rule.title.en))];
    let mut tell = |name: &str, value: &str| lines.push(format!("    {name}: {value}"));
    if let Some(why) = &rule.off {
        tell("ВЫКЛЮЧЕНО / OFF", why);
    }
    if !rule.rows.is_empty() {
        tell("строки таблицы сроков / rows of the table of terms", &rule.rows.join(", "));
    }
    tell("срок / term", &term_choice(&rule.term));
    tell("отсчёт / counted", &start(&rule.start));
    tell("перенос / roll", roll(rule.roll));
    tell("кто должен / debtor", &party(r, &rule.debtor));
    tell("кому / creditor", &party(r, &rule.creditor));
    match &rule.opens {
        Opens::Messages(openings) => openings.iter().for_each(|m| tell("открывает / opened by", &matching(m))),
        Opens::Every { every, of } => tell("открывает / opened by", &period(*every, of)),
    }
    match rule.again {
        Again::Keep => {}
        Again::Retime => tell("повторно / again", "срок пересчитывается / the term is counted anew"),
        Again::Replace => tell(
            "повторно / again",
            "срок пересчитывается, чего больше нет - снимается / the term is counted anew, what is gone is cancelled",
        ),
    }
    for meets in &rule.met {
        tell("исполняет / met by", &format!("{}, {}", matching(&meets.matching), settle(&meets.at)));
    }
    for voids in &rule.cancelled {
        tell("снимает / cancelled by", &matching(&voids.matching));
    }
    if !rule.warns.is_empty() {
        tell("предупреждения / warnings", &rule.warns.iter().map(warn).collect::<Vec<_>>().join("; "));
    }
    if let Some(wish) = &rule.wish {
        tell("пожелание из документа, на счёт не влияет / the document's wish, never the norm", &wish.to_string());
    }
    if let Some(reading) = &rule.reading {
        tell("прочтение / reading", reading);
    }
    lines.push("    источник / source:".to_owned());
    lines.extend(source(r, &rule.source).iter().map(|line| format!("      {line}")));
    lines
}

fn roll(roll: Roll) -> &'static str {
    match roll {
        Roll::None => "нет / none",
        Roll::Forward => "вперёд, на рабочий день / forward, to a working day",
        Roll::Back => "назад, на рабочий день / back, to a working day",
    }
}

fn term_tables(r: &Regulation) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, table) in &r.term_tables {
        for version in &table.versions {
            let from = version.valid_from.map_or_else(String::new, |from| format!(", с / from {from}"));
            lines.push(format!("  {id}{from}: {}", term(&version.default)));
            lines.extend(version.by.iter().map(|(key, by)| format!("    {key}: {}", term(by))));
            lines.extend(version.off.iter().map(|why| format!("    выключено / off: {why}")));
            lines.extend(source(r, &version.source).iter().map(|line| format!("    {line}")));
        }
    }
    lines
}

fn norms(r: &Regulation) -> Vec<String> {
    let mut lines = Vec::new();
    for norm in &r.norms {
        let chain: Vec<&str> = norm.contains.iter().map(|id| id.as_str()).collect();
        lines.push(format!("  {}: {}: {}", norm.id, both(&norm.title.ru, &norm.title.en), term(&norm.term)));
        lines.push(format!("    {}", chain.join(" + ")));
        lines.extend(source(r, &norm.source).iter().map(|line| format!("    {line}")));
    }
    lines
}

/// How many there are for whom; the cases themselves are in the file.
fn measures(r: &Regulation) -> Vec<String> {
    let mut by_responsible = std::collections::BTreeMap::new();
    for measure in &r.measures {
        *by_responsible.entry(measure.responsible.as_str()).or_insert(0_usize) += 1;
    }
    by_responsible.iter().map(|(id, count)| format!("  {id}: {count}")).collect()
}

fn off(r: &Regulation) -> Vec<String> {
    r.rules.iter().filter_map(|rule| Some(format!("  {}: {}", rule.id, rule.off.as_ref()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::regulation_json::as_json;

    const YUGRA: &str = include_str!("../../config/regulations/yugra.toml");

    fn yugra(text: &str) -> Regulation {
        Regulation::parse("config/regulations/yugra.toml", text).unwrap()
    }

    fn has(text: &str, parts: &[&str]) {
        let missing: Vec<_> = parts.iter().filter(|part| !text.contains(**part)).collect();
        assert!(missing.is_empty(), "{missing:?} not in:\n{text}");
    }

    #[test]
    fn every_part_is_told_in_words() {
        let text = as_text(&yugra(YUGRA), &[]);
        has(
            &text,
            &[
                "Регламент Югры / Regulation of Yugra\nyugra (config/regulations/yugra.toml)\n",
                "  posobie: Социальное сопровождение граждан",
                "    2016: редакция не проверена / the edition was not checked\n",
                "  uszn: Управление социальной защиты населения / Social protection office — никто / nobody\n",
                "  application: uszn → uszn, provider\n",
                "  clinics: Медицинские организации Департамента здравоохранения / Medical organisations of the Department of Health\n    что это / kind: подведомственная организация / subordinate\n    подведомственность / belongs to: Департамент здравоохранения ХМАО - Югры (depzdrav)\n    роль в обмене / role: health\n    основание участия / basis: соглашение / agreement; соглашение между Депсоцразвития",
                "    деятельность / activity: содействует программам компьютерной грамотности",
                "Порядок и формы взаимодействия / order and forms of interaction\n  envelope: Электронный обмен через шлюз / Electronic exchange through the gateway\n    подписанный конверт",
                "Контроль и оценка / control and evaluation\n  ongoing: Текущий контроль / Ongoing control\n",
                "  document-answer: Ответ на межведомственный запрос / Answer to an interagency request\n    срок / term: по таблице `answer`",
                "    отсчёт / counted: от передачи сообщения должнику / from the message's handing over to the debtor\n",
                "    открывает / opened by: application (each requiredDocuments/document, where source = request, key holderRole)\n",
                "    предупреждения / warnings: за 8 часов / 8 hours before\n",
                "    прочтение / reading: «До 5 числа» - включительно",
                "  answer, с / from 2015-07-31: 5 рабочих дней / 5 working days\n",
                "    document-request + document-answer\n",
                "«в течение 1 рабочего дня со дня регистрации заявления»",
            ],
        );
        has(&text, &["\nВыключено / off\n  decision-palliative: два рабочих дня известны"]);
    }

    #[test]
    fn what_is_off_or_checked_says_so() {
        let text =
            YUGRA.replacen("id = \"progress-report\"\n", "id = \"progress-report\"\noff = \"ждём приказа\"\n", 1);
        let text = text.replacen("edition = \"2016\"", "edition = \"2016\"\nchecked_on = \"2026-02-01\"", 1);
        let regulation = yugra(&text);
        has(
            &as_text(&regulation, &[]),
            &[
                "    ВЫКЛЮЧЕНО / OFF: ждём приказа\n",
                "\nВыключено / off\n  progress-report: ждём приказа\n",
                "    2016: редакция сверена 2026-02-01 / the edition was compared on 2026-02-01\n",
            ],
        );
        let json = as_json(&regulation, &[]);
        assert_eq!(
            (&json["documents"][0]["checkedOn"], json["deadlines"][2]["off"].as_str()),
            (&"2026-02-01".into(), Some("ждём приказа"))
        );
    }

    #[test]
    fn json_keeps_the_words_of_the_file() {
        let json = as_json(&yugra(YUGRA), &[]);
        let first = &json["deadlines"][0];
        assert_eq!((first["start"].as_str(), first["debtor"].as_str()), (Some("registeredAt"), Some("role uszn")));
        assert_eq!(first["opens"][0]["where"]["source"][0], "request");
        assert_eq!(first["met"][0]["key"], "roles of recipient");
        assert_eq!(json["deadlines"][1]["termTable"], "answer");
        let order = &json["order"];
        assert_eq!(
            (&order["bodies"][1]["id"], &order["bodies"][1]["basis"]),
            (&"depzdrav".into(), &"regulation".into())
        );
        assert_eq!(order["bodies"][1]["activities"][0]["paragraph"], "п. 3.2");
        let parts = ["exchangeForms", "requirements", "mechanisms", "controls"];
        assert!(parts.iter().all(|part| order[*part][0]["text"]["en"].is_string()), "{order}");
        assert_eq!(json["deadlines"][2]["opens"][0]["every"], "month");
        assert_eq!(
            (&json["documents"][0]["checkedOn"], json["deadlines"].as_array().unwrap().len()),
            (&serde_json::Value::Null, yugra(YUGRA).rules.len())
        );
    }
}
