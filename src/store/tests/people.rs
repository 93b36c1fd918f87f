//! Accounts, sessions, tokens, links, and failed sign-ins that all nodes count together.

use std::collections::BTreeSet;

use crate::access::throttle::Counted;
use crate::access::{Right, Role, Scope};
use crate::domain::{AccountId, Line, Login, TokenId};

use super::*;

on_both! {
    an_account_is_kept_as_it_was_given_and_changed
    a_session_ends_by_time_by_silence_by_wish_and_with_its_account
    of_many_attempts_at_once_no_more_pass_than_one_after_another
    a_token_and_a_link_are_good_until_they_are_not
    the_journal_is_read_by_key_and_its_length_grows
}

fn account(n: u128, login: &str) -> NewAccount {
    NewAccount {
        id: AccountId::from_uuid(Uuid::from_u128(n)),
        login: Login::parse(login).unwrap(),
        name: Line::parse("Кто-то").unwrap(),
        password: Some("$argon2id$".to_owned()),
        must_change: false,
        roles: BTreeSet::from([Role::Operator]),
        scope: Scope::whole(),
        data_classes: None,
    }
}

fn hash(n: u8) -> Digest {
    Digest::from_bytes([n; 32])
}

fn session(n: u8, account: AccountId, expires_at: Timestamp) -> NewSession {
    let (address, agent) = ("127.0.0.1".to_owned(), "test".to_owned());
    NewSession { token_hash: hash(n), account, expires_at, address, agent, counted: vec!["login:x".to_owned()] }
}

async fn an_account_is_kept_as_it_was_given_and_changed(bench: &Bench) {
    let store = &bench.store;
    let new = account(1, "petrova");
    let id = new.id;
    assert_eq!(store.add_account(new.clone(), "x", at(1)).await, Ok(true));
    let again = NewAccount { id: AccountId::from_uuid(Uuid::from_u128(2)), ..new };
    assert_eq!(store.add_account(again, "x", at(2)).await, Ok(false), "the login is taken");
    let scope = Scope {
        participants: BTreeSet::from([ParticipantId::parse("health").unwrap()]),
        territories: BTreeSet::from([crate::domain::Oktmo::parse("71").unwrap()]),
    };
    let data_classes = Some(BTreeSet::from([crate::domain::DataClass::Health]));
    let roles = BTreeSet::from([Role::Auditor, Role::SecurityOfficer]);
    let change =
        AccountChange::Access { roles: roles.clone(), scope: scope.clone(), data_classes: data_classes.clone() };
    assert_eq!(store.change_account(id, change, "x", at(3)).await, Ok(true));
    let name = AccountChange::Name(Line::parse("Другой").unwrap());
    assert_eq!(store.change_account(id, name, "x", at(4)).await, Ok(true));
    let row = store.account_by_login(&Login::parse("petrova").unwrap()).await.unwrap().unwrap();
    assert_eq!((&row.roles, &row.scope, &row.data_classes), (&roles, &scope, &data_classes));
    assert_eq!((row.name.as_str(), row.created_at, row.password_at), ("Другой", at(1), Some(at(1))));
    assert_eq!(store.account(id).await, Ok(Some(row)));
    let nobody = AccountId::from_uuid(Uuid::from_u128(9));
    assert_eq!(store.change_account(nobody, AccountChange::Disabled(true), "x", at(5)).await, Ok(false));
    store.add_account(account(3, "anna"), "x", at(6)).await.unwrap();
    let logins = |rows: Vec<AccountRow>| rows.into_iter().map(|r| r.login.to_string()).collect::<Vec<_>>();
    assert_eq!(logins(store.accounts(None, 10).await.unwrap()), ["anna", "petrova"]);
    assert_eq!(logins(store.accounts(Some(&Login::parse("anna").unwrap()), 10).await.unwrap()), ["petrova"]);
}

async fn a_session_ends_by_time_by_silence_by_wish_and_with_its_account(bench: &Bench) {
    let store = &bench.store;
    let new = account(1, "petrova");
    let id = new.id;
    store.add_account(new, "x", at(1)).await.unwrap();
    store.begin_session(session(1, id, at(100)), at(10)).await.unwrap();
    let lives = async |n, seen_after, now| store.session(hash(n), seen_after, now).await.unwrap().is_some();
    assert!(lives(1, at(5), at(20)).await && !lives(2, at(5), at(20)).await);
    assert!(!lives(1, at(10), at(20)).await, "not used since");
    store.touch_session(hash(1), at(15)).await.unwrap();
    assert!(lives(1, at(10), at(20)).await);
    assert!(!lives(1, at(10), at(100)).await, "its absolute end");
    store.begin_session(session(2, id, at(200)), at(20)).await.unwrap();
    store.begin_session(session(3, id, at(200)), at(30)).await.unwrap();
    let stranger = AccountId::from_uuid(Uuid::from_u128(9));
    assert_eq!(store.end_session(hash(2), stranger, "x", at(31)).await, Ok(false), "another's session");
    assert_eq!(store.end_session(hash(2), id, "x", at(31)).await, Ok(true));
    assert!(!lives(2, at(5), at(32)).await && lives(3, at(5), at(32)).await);
    let change = AccountChange::Password { hash: "$argon2id$2".to_owned(), must_change: true, keep: Some(hash(3)) };
    store.change_account(id, change, "x", at(33)).await.unwrap();
    assert!(!lives(1, at(5), at(34)).await && lives(3, at(5), at(34)).await, "all but the one are gone");
    store.change_account(id, AccountChange::Disabled(true), "x", at(35)).await.unwrap();
    assert!(!lives(3, at(5), at(36)).await && store.sessions_of(id, at(36)).await.unwrap().is_empty());
}

async fn of_many_attempts_at_once_no_more_pass_than_one_after_another(bench: &Bench) {
    let store = &bench.store;
    let subject = || vec![("login:x".to_owned(), Counted::Login)];
    let attempts = (0..20).map(|_| store.count_sign_in(subject(), at(1)));
    let found = futures_util::future::join_all(attempts).await;
    let allowed = found.iter().filter(|found| **found == Ok(SignIn::Allowed)).count();
    assert_eq!(allowed, 5, "the fifth begins the pause");
    let until = at(1).plus_seconds(30);
    assert_eq!(store.count_sign_in(subject(), at(2)).await, Ok(SignIn::Blocked(until)));
    assert_eq!(store.count_sign_in(subject(), until).await, Ok(SignIn::Allowed), "one after the pause");
    assert_eq!(store.count_sign_in(subject(), until).await, Ok(SignIn::Blocked(until.plus_seconds(60))));
    // A session that begins forgets them.
    let new = account(1, "petrova");
    let id = new.id;
    store.add_account(new, "x", at(1)).await.unwrap();
    store.begin_session(session(1, id, at(1_000)), until).await.unwrap();
    assert_eq!(store.count_sign_in(subject(), until).await, Ok(SignIn::Allowed));
    // And so does whoever gives a new way in.
    let by_login = || vec![(login_subject("petrova"), Counted::Login)];
    for _ in 0..5 {
        store.count_sign_in(by_login(), at(5)).await.unwrap();
    }
    assert!(matches!(store.count_sign_in(by_login(), at(6)).await, Ok(SignIn::Blocked(_))));
    store.change_account(id, AccountChange::Disabled(false), "x", at(7)).await.unwrap();
    assert_eq!(store.count_sign_in(by_login(), at(8)).await, Ok(SignIn::Allowed));
}

async fn a_token_and_a_link_are_good_until_they_are_not(bench: &Bench) {
    let store = &bench.store;
    let new = account(1, "petrova");
    let id = new.id;
    store.add_account(new, "x", at(1)).await.unwrap();
    let token = |n: u8| NewToken {
        id: TokenId::from_uuid(Uuid::from_u128(u128::from(n))),
        account: id,
        token_hash: hash(n),
        title: Line::parse("для отчёта").unwrap(),
        rights: BTreeSet::from([Right::SeeReports, Right::SeeQueues]),
        expires_at: at(100),
    };
    store.insert_token(token(1), "x", at(10)).await.unwrap();
    store.insert_token(token(2), "x", at(11)).await.unwrap();
    let (row, of) = store.token(hash(1), at(99)).await.unwrap().unwrap();
    assert_eq!((row.rights.len(), of.id, row.used_at), (2, id, None));
    assert_eq!(store.token(hash(1), at(100)).await, Ok(None), "it has ended");
    store.touch_token(row.id, at(12)).await.unwrap();
    assert_eq!(store.tokens_of(id).await.unwrap().iter().map(|t| t.used_at).collect::<Vec<_>>(), [None, Some(at(12))]);
    let stranger = AccountId::from_uuid(Uuid::from_u128(9));
    assert_eq!(store.revoke_token(row.id, stranger, "x", at(13)).await, Ok(false));
    assert_eq!(store.revoke_token(row.id, id, "x", at(13)).await, Ok(true));
    assert_eq!(store.revoke_token(row.id, id, "x", at(14)).await, Ok(false));
    assert_eq!(store.token(hash(1), at(14)).await, Ok(None), "revoked");
    store.insert_password_link(hash(7), id, at(100), "x", at(15)).await.unwrap();
    store.insert_password_link(hash(8), id, at(100), "x", at(16)).await.unwrap();
    assert_eq!(store.password_link(hash(7), at(17)).await, Ok(None), "a later link ends the one before");
    assert!(store.password_link(hash(8), at(99)).await.unwrap().is_some());
    assert_eq!(store.password_link(hash(8), at(100)).await, Ok(None), "it has ended");
    store.change_account(id, AccountChange::Disabled(true), "x", at(18)).await.unwrap();
    assert_eq!(store.password_link(hash(8), at(19)).await, Ok(None));
    assert_eq!(store.token(hash(2), at(19)).await, Ok(None), "a shut account's token");
}

async fn the_journal_is_read_by_key_and_its_length_grows(bench: &Bench) {
    let store = &bench.store;
    let before = store.journal_length().await.unwrap();
    let entry = |kind: &str, actor: &str| JournalEntry {
        kind: kind.to_owned(),
        actor: actor.to_owned(),
        ..JournalEntry::default()
    };
    for n in 0..10 {
        let kind = if n % 2 == 0 { "even" } else { "odd" };
        store.append_journal(vec![entry(kind, "account:1"), entry("other", "node")], at(10 + n)).await.unwrap();
    }
    assert_eq!(store.journal_length().await, Ok(before + 20));
    store.seal("node", at(30), 1_000, 7).await.unwrap();
    assert_eq!(store.journal_length().await, Ok(before + 20), "sealing adds nothing");
    let ask = async |filter: &JournalFilter, before: Option<&str>, limit| {
        store.journal_page(filter, before, limit).await.unwrap()
    };
    let even = JournalFilter { kind: Some("even".to_owned()), ..JournalFilter::default() };
    let first = ask(&even, None, 3).await;
    let second = ask(&even, Some(&first[2].id), 3).await;
    let at_of = |rows: &[JournalRow]| rows.iter().map(|r| r.at).collect::<Vec<_>>();
    assert_eq!((at_of(&first), at_of(&second)), (vec![at(18), at(16), at(14)], vec![at(12), at(10)]));
    let mine = JournalFilter { actor: Some("account:1".to_owned()), ..JournalFilter::default() };
    assert_eq!(ask(&mine, None, 100).await.len(), 10);
    let then = JournalFilter { from: Some(at(12)), before: Some(at(14)), ..JournalFilter::default() };
    assert_eq!(ask(&then, None, 100).await.len(), 4);
}
