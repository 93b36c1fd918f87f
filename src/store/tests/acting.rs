//! Acts of people and participants: one wins, everything or nothing changes, and what was is kept beside what is.

use chrono::NaiveDate;

use crate::domain::{
    ActGround, ActKind, CaseId, Line, MessageId, ObligationState, OutsideWay, ParticipantId, Remark, SettleKind,
};

use super::*;

on_both! {
    what_was_done_outside_meets_in_time_or_late
    what_cannot_have_been_done_is_refused_and_changes_nothing
    what_is_counted_from_a_day_ahead_can_be_done_before_it
    a_waiver_keeps_the_due_and_an_answer_that_comes_later_leaves_it
    an_extension_opens_again_what_was_overdue_and_the_watcher_goes_by_the_new_due
    an_extension_goes_by_the_due_that_was_read
    the_same_act_twice_is_one
    of_two_nodes_that_act_at_once_one_wins
    an_answer_that_was_missed_is_found_before_an_act
    only_the_debtor_enters_its_own_acts_and_each_message_once
    acts_are_listed_and_the_journal_holds_no_word_of_them
    listings_find_what_was_settled_otherwise_and_what_a_party_has_to_do_with
    listings_stay_on_an_index
}

fn line(text: &str) -> Line {
    Line::parse(text).unwrap()
}

fn act(n: u64, seconds: i64, act: Act) -> NewAct {
    NewAct {
        obligation_id: owed(n, 0).id,
        act,
        note: None,
        author: "ivanova".to_owned(),
        message: None,
        at: at(seconds),
        now: at(seconds),
    }
}

fn outside(acted: i64) -> Act {
    Act::Outside {
        way: OutsideWay::Paper,
        acted_at: at(acted),
        by: Some(line("Больница № 2")),
        to: None,
        number: Some(line("01-17/4")),
        scan: Some(digest(3)),
    }
}

fn document() -> ActDocument {
    let date = NaiveDate::from_ymd_opt(2026, 5, 6).unwrap();
    ActDocument { name: line("Распоряжение"), number: line("17-р"), date }
}

fn waiver() -> Act {
    Act::Waive { ground: ActGround::CitizenRefused, document: document() }
}

/// Extends what was due at `from`; warned ten seconds before.
fn extension(from: i64, to: i64) -> Act {
    Act::Extend {
        ground: ActGround::AgreedExtension,
        document: document(),
        expected_due: at(from),
        due_at: at(to),
        warns: vec![at(to - 10)],
    }
}

async fn opened(bench: &Bench, dues: &[(u64, i64)]) {
    let all = dues.iter().map(|(n, due)| owed(*n, *due)).collect();
    assert_eq!(bench.store.open_obligations(all, at(0)).await.unwrap().len(), dues.len());
}

async fn obligation(bench: &Bench, n: u64) -> ObligationRow {
    bench.store.obligation(owed(n, 0).id).await.unwrap().unwrap()
}

/// Marks, as the watcher does, what is due at `seconds`.
async fn watch(bench: &Bench, seconds: i64) -> Vec<(ObligationId, ObligationState)> {
    let due = bench.store.due(at(seconds), 100).await.unwrap();
    let mark = |row: &ObligationRow| {
        let overdue = at(seconds) >= row.due_at.unwrap();
        Mark {
            id: row.id,
            expected_next_at: row.next_at.unwrap(),
            state: if overdue { ObligationState::Overdue } else { ObligationState::Warned },
            next_at: if overdue { None } else { row.due_at },
            at: at(seconds),
            now: at(seconds),
            stays: false,
            made: vec![],
            notifications: vec![],
            journal: vec![],
        }
    };
    let marks: Vec<Mark> = due.iter().map(mark).collect();
    let states: Vec<_> = marks.iter().map(|m| (m.id, m.state)).collect();
    let marked = bench.store.mark(marks).await.unwrap();
    states.into_iter().filter(|(id, _)| marked.contains(id)).collect()
}

fn refused(acted: Acted) -> ActRefusal {
    let Acted::Refused(refusal) = acted else { panic!("not refused: {acted:?}") };
    refusal
}

fn done(acted: Acted) -> (ActRow, ObligationRow) {
    let Acted::Done(act, row) = acted else { panic!("not done: {acted:?}") };
    (*act, *row)
}

fn answered(n: u64, obligation: u64, seconds: i64) -> Accept {
    let mut quiet = message(n);
    quiet.deliveries.clear();
    Accept { settlements: vec![settlement(obligation, seconds, n)], ..accept(quiet) }
}

async fn what_was_done_outside_meets_in_time_or_late(bench: &Bench) {
    opened(bench, &[(1, 100), (2, 100), (3, 100)]).await;
    // In time, though it is entered when it was marked overdue; late; late by being done at the due itself.
    assert_eq!(watch(bench, 150).await.len(), 3);
    for (n, acted, state) in
        [(1, 99, ObligationState::Met), (2, 120, ObligationState::MetLate), (3, 100, ObligationState::MetLate)]
    {
        let (entered, row) = done(bench.store.act(act(n, 200, outside(acted))).await.unwrap());
        assert_eq!((row.state, row.settled_at, row.due_at), (state, Some(at(acted)), Some(at(100))), "{n}");
        assert_eq!((row.settle_kind, row.settled_record, row.next_at), (Some(SettleKind::Outside), None, None));
        assert_eq!(row, obligation(bench, n).await);
        assert_eq!((entered.state_before, entered.state_after), (ObligationState::Overdue, state));
        assert_eq!(bench.store.acts(row.id).await.unwrap(), [entered]);
        // A message that comes afterwards, even one of an earlier instant, does not change what was entered.
        bench.store.accept(answered(50 + n, n, 50)).await.unwrap();
        assert_eq!(obligation(bench, n).await, row);
    }
    assert_eq!(bench.store.counts().await.unwrap().settled[&SettleKind::Outside], 3, "counted apart");
    assert_eq!(bench.store.next_instant().await, Ok(None));
    // What has not begun to run is met without being late.
    let start = ObligationStart::Pending { plan: "{}".to_owned() };
    bench.store.open_obligations(vec![NewObligation { start, ..owed(4, 0) }], at(0)).await.unwrap();
    let (_, row) = done(bench.store.act(act(4, 200, outside(10))).await.unwrap());
    assert_eq!((row.state, row.due_at), (ObligationState::Met, None));
}

async fn what_cannot_have_been_done_is_refused_and_changes_nothing(bench: &Bench) {
    opened(bench, &[(1, 100), (2, 100)]).await;
    let start = ObligationStart::Pending { plan: "{}".to_owned() };
    bench.store.open_obligations(vec![NewObligation { start, ..owed(3, 0) }], at(0)).await.unwrap();
    bench.store.accept(answered(50, 2, 40)).await.unwrap();
    let before = [obligation(bench, 1).await, obligation(bench, 2).await, obligation(bench, 3).await];
    let table = [
        (act(1, 50, outside(51)), ActRefusal::Ahead),
        (act(1, 50, outside(-1)), ActRefusal::BeforeStart(at(0))),
        (act(1, 50, extension(100, 100)), ActRefusal::NotLater(at(100))),
        (act(1, 50, extension(100, 99)), ActRefusal::NotLater(at(100))),
        (act(2, 50, outside(45)), ActRefusal::Ended(ObligationState::Met, Some(at(40)))),
        (act(2, 50, waiver()), ActRefusal::Ended(ObligationState::Met, Some(at(40)))),
        (act(2, 50, extension(100, 200)), ActRefusal::Ended(ObligationState::Met, Some(at(40)))),
        (act(3, 50, extension(100, 200)), ActRefusal::NotBegun),
    ];
    for (new, refusal) in table {
        assert_eq!(refused(bench.store.act(new).await.unwrap()), refusal);
    }
    assert_eq!(bench.store.act(act(9, 50, waiver())).await, Ok(Acted::NotFound));
    let after = [obligation(bench, 1).await, obligation(bench, 2).await, obligation(bench, 3).await];
    assert_eq!(before, after);
    assert_eq!(bench.number("SELECT COUNT(*) FROM obligation_acts").await, 0);
    assert_eq!(
        bench.number("SELECT COUNT(*) FROM journal WHERE kind LIKE '%waived' OR kind LIKE '%extended'").await,
        0
    );
    // A remark can be made on what has ended.
    let note = NewAct { note: Some(Remark::parse("Ответ\nполучен").unwrap()), ..act(2, 60, Act::Note) };
    let (entered, row) = done(bench.store.act(note).await.unwrap());
    assert_eq!((entered.kind, entered.note.unwrap().as_str(), &row), (ActKind::Note, "Ответ\nполучен", &before[1]));
}

async fn what_is_counted_from_a_day_ahead_can_be_done_before_it(bench: &Bench) {
    // Opened at 20, due at 100, counted back from 300: the end of a case.
    let start = ObligationStart::Running(Running { started_at: at(300), ..running(100) });
    let new = NewObligation { start, opened_at: at(20), ..owed(1, 100) };
    bench.store.open_obligations(vec![new], at(20)).await.unwrap();
    let early = bench.store.act(act(1, 50, outside(19))).await.unwrap();
    assert_eq!(refused(early), ActRefusal::BeforeStart(at(20)));
    let (_, row) = done(bench.store.act(act(1, 50, outside(40))).await.unwrap());
    assert_eq!((row.state, row.settled_at), (ObligationState::Met, Some(at(40))));
}

async fn a_waiver_keeps_the_due_and_an_answer_that_comes_later_leaves_it(bench: &Bench) {
    opened(bench, &[(1, 100), (2, 100)]).await;
    watch(bench, 150).await;
    let (entered, row) = done(bench.store.act(act(1, 200, waiver())).await.unwrap());
    assert_eq!((row.state, row.due_at, row.settled_at), (ObligationState::Waived, Some(at(100)), Some(at(200))));
    assert_eq!(
        (row.settle_kind, row.overdue_at),
        (Some(SettleKind::Waiver), Some(at(150))),
        "that it was late is kept"
    );
    assert_eq!((entered.ground, entered.document), (Some(ActGround::CitizenRefused), Some(document())));
    bench.store.accept(answered(50, 1, 90)).await.unwrap();
    assert_eq!(obligation(bench, 1).await, row);
    // Before it is due: nothing marks it any more.
    opened(bench, &[(3, 300)]).await;
    done(bench.store.act(act(3, 200, waiver())).await.unwrap());
    assert_eq!(watch(bench, 400).await, []);
    assert_eq!(bench.store.counts().await.unwrap().obligations[&ObligationState::Waived], 2);
}

async fn an_extension_opens_again_what_was_overdue_and_the_watcher_goes_by_the_new_due(bench: &Bench) {
    opened(bench, &[(1, 100)]).await;
    let id = owed(1, 0).id;
    assert_eq!(watch(bench, 150).await, [(id, ObligationState::Overdue)]);
    let (entered, row) = done(bench.store.act(act(1, 200, extension(100, 300))).await.unwrap());
    assert_eq!((row.state, row.due_at, row.original_due), (ObligationState::Open, Some(at(300)), Some(at(100))));
    assert_eq!((row.next_at, row.warns.clone(), row.overdue_at), (Some(at(290)), vec![at(290)], None));
    assert_eq!((entered.due_before, entered.due_after), (Some(at(100)), Some(at(300))));
    assert_eq!(entered.state_before, ObligationState::Overdue, "that it was late is kept");
    let listed = bench.store.list_obligations(&ObligationFilter::default(), None, 10).await.unwrap();
    assert_eq!(listed, [obligation(bench, 1).await]);

    assert_eq!(watch(bench, 289).await, []);
    assert_eq!(watch(bench, 290).await, [(id, ObligationState::Warned)]);
    // Extended once more while warned; the first due is still the first.
    let (_, row) = done(bench.store.act(act(1, 295, extension(300, 400))).await.unwrap());
    assert_eq!((row.state, row.original_due, row.warned_at), (ObligationState::Open, Some(at(100)), None));
    assert_eq!(watch(bench, 390).await, [(id, ObligationState::Warned)]);
    assert_eq!(watch(bench, 400).await, [(id, ObligationState::Overdue)]);
    let row = obligation(bench, 1).await;
    assert_eq!((row.state, row.overdue_at), (ObligationState::Overdue, Some(at(400))));
    // Entered after the fact, to an instant that has passed: late all the same, and not marked a second time.
    let (_, row) = done(bench.store.act(act(1, 500, extension(400, 450))).await.unwrap());
    assert_eq!((row.state, row.due_at, row.next_at), (ObligationState::Overdue, Some(at(450)), None));
    assert_eq!(watch(bench, 500).await, []);
    // What counts in the end is the due that is.
    bench.store.accept(answered(50, 1, 449)).await.unwrap();
    assert_eq!(obligation(bench, 1).await.state, ObligationState::Met);
}

async fn an_extension_goes_by_the_due_that_was_read(bench: &Bench) {
    opened(bench, &[(1, 100)]).await;
    let other = bench.node().await;
    let (a, b) =
        tokio::join!(bench.store.act(act(1, 10, extension(100, 200))), other.act(act(1, 10, extension(100, 300))));
    let (a, b) = (a.unwrap(), b.unwrap());
    let (won, lost) = if matches!(a, Acted::Done(..)) { (a, b) } else { (b, a) };
    let due = done(won).1.due_at;
    assert_eq!(refused(lost), ActRefusal::DueMoved(due));
    assert_eq!(obligation(bench, 1).await.due_at, due);
    other.close().await;
}

async fn the_same_act_twice_is_one(bench: &Bench) {
    opened(bench, &[(1, 100), (2, 100), (3, 100)]).await;
    let remark = Some(Remark::parse("Звонили").unwrap());
    let note = |author: &str| NewAct { note: remark.clone(), author: author.to_owned(), ..act(3, 60, Act::Note) };
    for new in [act(1, 50, outside(40)), act(2, 50, waiver()), act(3, 50, extension(100, 200)), note("ivanova")] {
        let (first, row) = done(bench.store.act(new.clone()).await.unwrap());
        let later = NewAct { at: at(90), now: at(90), ..new };
        assert_eq!(bench.store.act(later).await, Ok(Acted::Already(Box::new(first), Box::new(row))));
    }
    // What differs is not the same, and what does not stand any more is not there.
    done(bench.store.act(note("petrova")).await.unwrap());
    assert!(matches!(refused(bench.store.act(act(1, 50, outside(41))).await.unwrap()), ActRefusal::Ended(..)));
    done(bench.store.act(act(3, 95, extension(200, 300))).await.unwrap());
    let again = bench.store.act(act(3, 96, extension(300, 200))).await.unwrap();
    assert_eq!(refused(again), ActRefusal::NotLater(at(300)));
    assert_eq!(bench.number("SELECT COUNT(*) FROM obligation_acts").await, 6);
    assert_eq!(bench.number("SELECT COUNT(*) FROM journal WHERE actor IN ('ivanova', 'petrova')").await, 6);
}

async fn of_two_nodes_that_act_at_once_one_wins(bench: &Bench) {
    let other = bench.node().await;
    opened(bench, &(1..=20).map(|n| (n, 100)).collect::<Vec<_>>()).await;
    let mut asked = Vec::new();
    for n in 1..=20 {
        let (first, second) = if n % 2 == 0 { (&bench.store, &other) } else { (&other, &bench.store) };
        asked.push(first.act(act(n, 50, outside(40))));
        asked.push(second.act(act(n, 50, waiver())));
    }
    let answers = futures_util::future::join_all(asked).await;
    for (n, pair) in (1..=20).zip(answers.chunks(2)) {
        let row = obligation(bench, n).await;
        let won = pair.iter().filter(|a| matches!(a, Ok(Acted::Done(..)))).count();
        let lost = pair.iter().find_map(|a| match a {
            Ok(Acted::Refused(refusal)) => Some(*refusal),
            _ => None,
        });
        assert_eq!((won, lost), (1, Some(ActRefusal::Ended(row.state, row.settled_at))), "{n}: {pair:?}");
        assert_eq!(bench.store.acts(row.id).await.unwrap().len(), 1);
    }
    other.close().await;
}

async fn an_answer_that_was_missed_is_found_before_an_act(bench: &Bench) {
    opened(bench, &[(1, 100)]).await;
    let key = "'yugra' || chr(31) || 'document-response' || chr(31) || 'request 1' || chr(31)";
    let key = if bench.schema.is_some() { key.to_owned() } else { key.replace("chr", "char") };
    bench
        .sql(&format!(
            "INSERT INTO settlements (obligation_key, debtor, acted_at, record_id) VALUES ({key}, 'health', {}, '{}')",
            at(40).micros(),
            record(7)
        ))
        .await;
    let lost = refused(bench.store.act(act(1, 50, waiver())).await.unwrap());
    assert_eq!(lost, ActRefusal::Ended(ObligationState::Met, Some(at(40))));
}

fn told(sender: &str, n: u64, content: u8) -> Option<ActMessage> {
    let message_id = MessageId::from_uuid(uuid(n));
    Some(ActMessage { sender: who(sender), message_id, digest: digest(content), bytes: b"<signed/>".to_vec() })
}

async fn only_the_debtor_enters_its_own_acts_and_each_message_once(bench: &Bench) {
    opened(bench, &[(1, 100), (2, 100)]).await;
    let by = |message, n| NewAct { message, author: "health".to_owned(), ..act(n, 50, outside(40)) };
    assert_eq!(bench.store.act(by(told("register", 70, 1), 1)).await, Ok(Acted::NotFound), "the creditor's word");
    assert_eq!(bench.store.act(by(told("health", 71, 1), 9)).await, Ok(Acted::NotFound));
    let (entered, row) = done(bench.store.act(by(told("health", 72, 1), 1)).await.unwrap());
    assert_eq!((entered.actor.as_ref().map(ParticipantId::as_str), entered.entered_by()), (Some("health"), "health"));
    // The same message; the same message of other content; another message about what is met.
    let again = NewAct { at: at(90), ..by(told("health", 72, 1), 1) };
    assert_eq!(bench.store.act(again).await, Ok(Acted::Already(Box::new(entered), Box::new(row))));
    assert_eq!(refused(bench.store.act(by(told("health", 72, 2), 2)).await.unwrap()), ActRefusal::IdReused);
    let other = NewAct { act: outside(41), ..by(told("health", 73, 1), 1) };
    assert!(matches!(refused(bench.store.act(other).await.unwrap()), ActRefusal::Ended(..)));
    assert_eq!(bench.number("SELECT COUNT(*) FROM obligation_act_messages WHERE LENGTH(bytes) = 9").await, 1);
    assert_eq!(obligation(bench, 2).await.state, ObligationState::Open);
}

async fn acts_are_listed_and_the_journal_holds_no_word_of_them(bench: &Bench) {
    opened(bench, &[(1, 100)]).await;
    let noted = NewAct { note: Some(Remark::parse("Звонили маме").unwrap()), ..act(1, 40, Act::Note) };
    done(bench.store.act(noted).await.unwrap());
    done(bench.store.act(act(1, 50, extension(100, 200))).await.unwrap());
    done(bench.store.act(act(1, 60, outside(55))).await.unwrap());
    let acts = bench.store.acts(owed(1, 0).id).await.unwrap();
    let kinds: Vec<_> = acts.iter().map(|a| a.kind).collect();
    assert_eq!(kinds, [ActKind::Note, ActKind::Extend, ActKind::Outside]);
    let outside = &acts[2];
    assert_eq!((outside.acted_at, outside.way, outside.scan), (Some(at(55)), Some(OutsideWay::Paper), Some(digest(3))));
    assert_eq!(outside.number.as_ref().map(Line::as_str), Some("01-17/4"));
    let recent = bench.store.recent_acts(10).await.unwrap();
    let shown: Vec<_> = recent.iter().map(|(act, row)| (act.kind, row.state)).collect();
    assert_eq!(shown, [(ActKind::Outside, ObligationState::Met), (ActKind::Extend, ObligationState::Met)]);
    let mut journal = bench.store.list_journal(None, 99).await.unwrap();
    journal.retain(|row| row.entry.actor == "ivanova");
    let kinds: Vec<_> = journal.iter().map(|row| row.entry.kind.as_str()).collect();
    assert_eq!(kinds, ["obligation-noted", "obligation-extended", "obligation-met"]);
    for row in &journal {
        let text = row.entry.detail.to_string();
        assert!(text.contains("\"act\"") && row.entry.obligation_id.is_some(), "{text}");
        for word in ["Звонили", "Больница", "01-17/4", "Распоряжение", "17-р"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

async fn listings_find_what_was_settled_otherwise_and_what_a_party_has_to_do_with(bench: &Bench) {
    opened(bench, &[(1, 100), (2, 110), (3, 120), (4, 130), (5, 140)]).await;
    let to_health = NewObligation { debtor: who("register"), creditor: who("health"), ..owed(6, 105) };
    let own = NewObligation { creditor: who("health"), ..owed(7, 106) };
    let elsewhere = NewObligation { regulation: "smolensk".to_owned(), debtor: who("police"), ..owed(8, 107) };
    bench.store.open_obligations(vec![to_health, own, elsewhere], at(0)).await.unwrap();
    done(bench.store.act(act(1, 50, outside(40))).await.unwrap());
    done(bench.store.act(act(2, 50, waiver())).await.unwrap());
    bench.store.accept(answered(60, 3, 40)).await.unwrap();
    let found = async |filter: ObligationFilter| -> Vec<u64> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            // In pages of two, to meet every seam.
            let page = bench.store.list_obligations(&filter, after, 2).await.unwrap();
            let Some(last) = page.last() else { return found };
            after = Some(DueCursor::after(last));
            found.extend(page.iter().map(|row| (1..=8).find(|n| owed(*n, 0).id == row.id).unwrap()));
        }
    };
    let any = ObligationFilter::default;
    assert_eq!(found(any()).await, [1, 6, 7, 8, 2, 3, 4, 5]);
    let states = |states: &[ObligationState]| ObligationFilter { states: states.to_vec(), ..any() };
    assert_eq!(found(states(&[ObligationState::Waived])).await, [2]);
    assert_eq!(found(states(&[ObligationState::Waived, ObligationState::Open])).await, [6, 7, 8, 2, 4, 5]);
    assert_eq!(found(states(&[ObligationState::Met])).await, [1, 3]);
    let settled = |kind| ObligationFilter { settled_by: Some(kind), ..any() };
    assert_eq!(found(settled(SettleKind::Outside)).await, [1]);
    assert_eq!(found(settled(SettleKind::Message)).await, [3]);
    assert_eq!(found(ObligationFilter { party: Some(who("health")), ..any() }).await, [1, 6, 7, 2, 3, 4, 5]);
    assert_eq!(found(ObligationFilter { creditor: Some(who("health")), ..any() }).await, [6, 7]);
    assert_eq!(found(ObligationFilter { regulation: Some("smolensk".to_owned()), ..any() }).await, [8]);
    let done = ObligationFilter { group: Some(ObligationGroup::Done), party: Some(who("health")), ..any() };
    assert_eq!(found(done.clone()).await, [1, 2, 3]);
    assert_eq!(found(ObligationFilter { states: vec![ObligationState::Open], ..done }).await, [0; 0]);
    let of_one = ObligationFilter { conversation_id: owed(2, 0).conversation_id, ..any() };
    assert_eq!(found(of_one.clone()).await, [2]);
    assert_eq!(found(ObligationFilter { group: Some(ObligationGroup::Running), ..of_one }).await, [0; 0]);
}

async fn listings_stay_on_an_index(bench: &Bench) {
    opened(bench, &[(1, 100), (2, 110)]).await;
    // The tables of a test are small; without these the planner would read them whole, and tell nothing of large ones.
    let url = match bench.schema {
        Some(_) => format!("{}&options[enable_seqscan]=off&options[enable_bitmapscan]=off", bench.url),
        None => bench.url.clone(),
    };
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    let explain = if bench.schema.is_some() { "EXPLAIN" } else { "EXPLAIN QUERY PLAN" };
    let head = format!("{explain} {}", obligations::SELECT);
    let after = Some(DueCursor::after(&obligation(bench, 1).await));
    let any = ObligationFilter::default;
    let table = [
        (any(), 4, "obligations_by_phase"),
        (ObligationFilter { states: vec![ObligationState::Overdue], ..any() }, 1, "obligations_by_phase"),
        (ObligationFilter { due_before: Some(at(500)), ..any() }, 4, "obligations_by_phase"),
        (ObligationFilter { debtor: Some(who("health")), ..any() }, 4, "obligations_by_debtor"),
        (ObligationFilter { creditor: Some(who("health")), ..any() }, 4, "obligations_by_creditor"),
        (ObligationFilter { party: Some(who("health")), ..any() }, 8, "obligations_by_"),
        (ObligationFilter { rule: Some(owed(1, 0).rule), ..any() }, 4, "obligations_by_rule"),
        (ObligationFilter { states: vec![ObligationState::Waived], ..any() }, 1, "obligations_waived"),
        (ObligationFilter { settled_by: Some(SettleKind::Outside), ..any() }, 1, "obligations_outside"),
    ];
    for (filter, count, index) in table {
        let ways = views::ways_in(&filter);
        assert_eq!(ways.len(), count, "{filter:?}");
        for way in ways {
            let found = way.select(&head, &filter, after, 50).fetch(&pool).await.unwrap();
            let column = if bench.schema.is_some() { 0 } else { 3 };
            let plan: Vec<String> = found.iter().map(|row| row.get::<String, _>(column)).collect();
            let plan = plan.join("\n");
            assert!(plan.contains(index), "{filter:?}: {plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
        }
    }
    // Few are sorted, but they are found by their index.
    for (filter, index) in [
        (ObligationFilter { case_id: Some(CaseId::from_uuid(uuid(1))), ..any() }, "obligations_by_case"),
        (ObligationFilter { conversation_id: owed(1, 0).conversation_id, ..any() }, "obligations_by_conversation"),
    ] {
        for way in views::ways_in(&filter) {
            let found = way.select(&head, &filter, None, 50).fetch(&pool).await.unwrap();
            let column = if bench.schema.is_some() { 0 } else { 3 };
            assert!(found.iter().any(|row| row.get::<String, _>(column).contains(index)), "{filter:?}");
        }
    }
    pool.close().await;
}
