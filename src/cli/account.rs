//! `mezhved account`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::account_input::{read_password, timestamp};
use super::{ConfigDir, Failure, runtime, table};
use crate::access::{Right, Role, Scope};
use crate::app::open_store;
use crate::crypto::{generate, sha256};
use crate::domain::{DataClass, Line, Login, Oktmo, ParticipantId, TokenId};
use crate::gateway::Clock;
use crate::gateway::people::{TOKEN_PREFIX, hash_password, new_account_id};
use crate::settings::Settings;
use crate::store::{AccountChange, AccountRow, NewAccount, NewToken, Store};

/// Кто в журнале действует с этой командной строки / who the journal says acts here.
const ACTOR: &str = "command-line";

/// Учётные записи людей, которые пользуются консолью / accounts of the people who use the console
///
/// The first account is made here: `mezhved account add LOGIN --name NAME --role administrator`. The password is asked for at the
/// terminal, or read from standard input; it is never an argument. Everything is written to the journal.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Что учётной записи видно / what the account sees.
#[derive(Debug, clap::Args)]
struct Access {
    /// Роль: operator, administrator, auditor, security-officer; можно несколько / a role; several are allowed
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    /// Только части этого участника; можно несколько / only what this participant takes part in; several are allowed
    #[arg(long = "participant", value_name = "ID")]
    participants: Vec<ParticipantId>,
    /// Только дела этой территории (ОКТМО или его начало) / only cases of this territory (ОКТМО or its beginning)
    #[arg(long = "territory", value_name = "OKTMO")]
    territories: Vec<Oktmo>,
    /// Только этот класс персональных данных: general, health, criminal-record, adoption, minors / only this class of personal data;
    /// without it all, where a role may see personal data
    #[arg(long = "data-class", value_name = "CLASS", value_parser = data_class)]
    data_classes: Vec<DataClass>,
}

fn data_class(word: &str) -> Result<DataClass, String> {
    let words: Vec<&str> = DataClass::ALL.iter().map(|c| c.as_str()).collect();
    DataClass::parse(word).ok_or_else(|| format!("one of {}", words.join(", ")))
}

impl Access {
    fn roles(&self) -> BTreeSet<Role> {
        self.roles.iter().copied().collect()
    }

    fn scope(&self) -> Scope {
        Scope {
            participants: self.participants.iter().cloned().collect(),
            territories: self.territories.iter().cloned().collect(),
        }
    }

    fn data_classes(&self) -> Option<BTreeSet<DataClass>> {
        (!self.data_classes.is_empty()).then(|| self.data_classes.iter().copied().collect())
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Завести; пароль спрашивается / add one; the password is asked for
    Add {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
        /// Имя человека / the person's name
        #[arg(long)]
        name: Line,
        #[command(flatten)]
        access: Access,
        /// Человек сменит пароль при первом входе / the person must change the password at the first sign-in
        #[arg(long)]
        must_change: bool,
    },
    /// Перечислить / list
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Задать новый пароль; все сеансы закончатся / set a new password; all sessions end
    Password {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
        /// Человек сменит пароль при входе / the person must change the password at sign-in
        #[arg(long)]
        must_change: bool,
    },
    /// Задать роли и область вместо прежних / set roles and scope in place of the former ones
    Roles {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
        #[command(flatten)]
        access: Access,
    },
    /// Закрыть: сеансы закончатся, токены не действуют / shut: sessions end, tokens are good for nothing
    Disable {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
    },
    /// Открыть снова / open again
    Enable {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
    },
    /// Сеансы: показать или закончить все / sessions: show, or end all
    Sessions {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
        /// Закончить все / end all
        #[arg(long)]
        end: bool,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Токены для программ: выпустить, показать, отозвать / tokens for scripts: make, show, revoke
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
}

#[derive(Debug, clap::Subcommand)]
enum TokenCommand {
    /// Выпустить; показывается один раз / make one; it is shown once
    Add {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
        /// Для чего / what for
        #[arg(long)]
        title: Line,
        /// Право; можно несколько; прав сверх учётной записи не даёт / a right; several are allowed; never more than the account has
        #[arg(long = "right", value_name = "RIGHT", required = true)]
        rights: Vec<Right>,
        /// Сколько дней действует / days that it is good for
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=366))]
        days: u32,
    },
    /// Показать / show
    List {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
    /// Отозвать / revoke
    Revoke {
        #[command(flatten)]
        dir: ConfigDir,
        /// Логин / the login
        login: Login,
        /// Номер токена / the token's id
        id: TokenId,
    },
}

impl Command {
    fn dir(&self) -> &ConfigDir {
        match self {
            Self::Add { dir, .. }
            | Self::List { dir, .. }
            | Self::Password { dir, .. }
            | Self::Roles { dir, .. }
            | Self::Disable { dir, .. }
            | Self::Enable { dir, .. }
            | Self::Sessions { dir, .. }
            | Self::Token {
                command:
                    TokenCommand::Add { dir, .. } | TokenCommand::List { dir, .. } | TokenCommand::Revoke { dir, .. },
            } => dir,
        }
    }
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let settings = Settings::load(&args.command.dir().config)?;
    runtime()?.block_on(async move {
        let store = open_store(&settings).await?;
        let done = act(&store, args.command).await;
        store.close().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

async fn act(store: &Store, command: Command) -> Result<(), Failure> {
    let now = Clock::default().now();
    match command {
        Command::Add { login, name, access, must_change, .. } => {
            if store.account_by_login(&login).await?.is_some() {
                return Err(taken(&login));
            }
            let password = Some(hash(&read_password(&login)?)?);
            let (id, roles, scope) = (new_account_id(), access.roles(), access.scope());
            let data_classes = access.data_classes();
            let new = NewAccount { id, login: login.clone(), name, password, must_change, roles, scope, data_classes };
            if !store.add_account(new, ACTOR, now).await? {
                return Err(taken(&login));
            }
            say!("заведено / added: {login} ({id})")?;
            Ok(())
        }
        Command::List { json, .. } => list(store, json).await,
        Command::Password { login, must_change, .. } => {
            let account = known(store, &login).await?;
            let change = AccountChange::Password { hash: hash(&read_password(&login)?)?, must_change, keep: None };
            store.change_account(account.id, change, ACTOR, now).await?;
            say!("пароль задан, сеансы закончены / the password is set, sessions have ended: {login}")?;
            Ok(())
        }
        Command::Roles { login, access, .. } => {
            let account = known(store, &login).await?;
            let (roles, scope) = (access.roles(), access.scope());
            let change = AccountChange::Access { roles, scope, data_classes: access.data_classes() };
            store.change_account(account.id, change, ACTOR, now).await?;
            say!("права заданы / rights are set: {login}")?;
            Ok(())
        }
        Command::Disable { login, .. } => switch(store, &login, true).await,
        Command::Enable { login, .. } => switch(store, &login, false).await,
        Command::Sessions { login, end, json, .. } => sessions(store, &login, end, json).await,
        Command::Token { command } => tokens(store, command).await,
    }
}

fn taken(login: &Login) -> Failure {
    Failure::new(format!("логин {login} занят; роли меняет `mezhved account roles` / the login is taken"))
}

async fn known(store: &Store, login: &Login) -> Result<AccountRow, Failure> {
    store.account_by_login(login).await?.ok_or_else(|| {
        Failure::new(format!("учётной записи {login} нет / no such account; `mezhved account list` lists them"))
    })
}

fn hash(password: &str) -> Result<String, Failure> {
    hash_password(password).map_err(Failure::new)
}

async fn switch(store: &Store, login: &Login, off: bool) -> Result<(), Failure> {
    let account = known(store, login).await?;
    store.change_account(account.id, AccountChange::Disabled(off), ACTOR, Clock::default().now()).await?;
    say!("{}: {login}", if off { "закрыта, сеансы закончены / disabled" } else { "открыта / enabled" })?;
    Ok(())
}

fn account_json(row: &AccountRow) -> Value {
    json!({
        "id": row.id, "login": row.login, "name": row.name,
        "roles": row.roles.iter().map(|r| r.as_str()).collect::<Vec<_>>(), "scope": row.scope,
        "dataClasses": row.data_classes, "createdAt": row.created_at, "passwordAt": row.password_at,
        "mustChange": row.must_change, "disabledAt": row.disabled_at, "signedInAt": row.signed_in_at,
    })
}

async fn list(store: &Store, as_json: bool) -> Result<(), Failure> {
    let mut rows: Vec<AccountRow> = Vec::new();
    loop {
        let page = store.accounts(rows.last().map(|row| &row.login), 1_000).await?;
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    if as_json {
        say!("{}", rows.iter().map(account_json).collect::<Value>())?;
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let roles: Vec<&str> = row.roles.iter().map(|r| r.as_str()).collect();
            let state = if row.disabled_at.is_some() { "закрыта / disabled" } else { "" };
            vec![
                row.login.to_string(),
                row.name.clone(),
                roles.join(", "),
                scope_words(&row.scope),
                timestamp(row.signed_in_at),
                state.to_owned(),
            ]
        })
        .collect();
    let heads =
        ["логин / login", "имя / name", "роли / roles", "область / scope", "вход / signed in", "состояние / state"];
    table::print(&heads, &cells)?;
    Ok(())
}

fn scope_words(scope: &Scope) -> String {
    let all = scope.participants.iter().map(ParticipantId::as_str).chain(scope.territories.iter().map(Oktmo::as_str));
    let words: Vec<&str> = all.collect();
    if words.is_empty() { "вся / whole".to_owned() } else { words.join(", ") }
}

async fn sessions(store: &Store, login: &Login, end: bool, as_json: bool) -> Result<(), Failure> {
    let (account, now) = (known(store, login).await?, Clock::default().now());
    if end {
        let count = store.end_sessions(account.id, None, ACTOR, now).await?;
        say!("закончено сеансов / sessions ended: {count}")?;
        return Ok(());
    }
    let rows = store.sessions_of(account.id, now).await?;
    if as_json {
        let shown = rows.iter().map(|row| {
            json!({ "begunAt": row.begun_at, "seenAt": row.seen_at, "expiresAt": row.expires_at, "address": row.address, "agent": row.agent })
        });
        say!("{}", shown.collect::<Value>())?;
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| vec![row.begun_at.to_string(), row.seen_at.to_string(), row.address.clone(), row.agent.clone()])
        .collect();
    table::print(&["начат / begun", "виден / seen", "адрес / address", "программа / agent"], &cells)?;
    Ok(())
}

async fn tokens(store: &Store, command: TokenCommand) -> Result<(), Failure> {
    let now = Clock::default().now();
    match command {
        TokenCommand::Add { login, title, rights, days, .. } => {
            let account = known(store, &login).await?;
            let has = account.principal();
            if let Some(lacking) = rights.iter().find(|right| !has.may(**right)) {
                return Err(Failure::new(format!(
                    "у учётной записи {login} нет права {lacking} / the account has not the right {lacking}"
                )));
            }
            let token = format!("{TOKEN_PREFIX}{}", generate::token()?);
            let new = NewToken {
                id: TokenId::from_uuid(uuid::Uuid::now_v7()),
                account: account.id,
                token_hash: sha256(token.as_bytes()),
                title,
                rights: rights.into_iter().filter(|r| *r != Right::OwnAccess).collect(),
                expires_at: now.plus_seconds(i64::from(days) * 86_400),
            };
            let id = new.id;
            store.insert_token(new, ACTOR, now).await?;
            eprintln!("токен {id}, больше он не покажется / token {id}, it is not shown again:");
            say!("{token}")?;
            Ok(())
        }
        TokenCommand::List { login, json, .. } => {
            let account = known(store, &login).await?;
            let rows = store.tokens_of(account.id).await?;
            if json {
                let shown = rows.iter().map(|row| {
                    json!({
                        "id": row.id, "title": row.title, "rights": row.rights.iter().map(|r| r.as_str()).collect::<Vec<_>>(),
                        "madeAt": row.made_at, "expiresAt": row.expires_at, "usedAt": row.used_at, "revokedAt": row.revoked_at,
                    })
                });
                say!("{}", shown.collect::<Value>())?;
                return Ok(());
            }
            let cells: Vec<Vec<String>> = rows
                .iter()
                .map(|row| {
                    let revoked = timestamp(row.revoked_at);
                    vec![
                        row.id.to_string(),
                        row.title.clone(),
                        row.expires_at.to_string(),
                        timestamp(row.used_at),
                        revoked,
                    ]
                })
                .collect();
            let heads = ["id", "для чего / title", "до / until", "использован / used", "отозван / revoked"];
            table::print(&heads, &cells)?;
            Ok(())
        }
        TokenCommand::Revoke { login, id, .. } => {
            let account = known(store, &login).await?;
            if !store.revoke_token(id, account.id, ACTOR, now).await? {
                return Err(Failure::new(format!("действующего токена {id} у {login} нет / no such token in force")));
            }
            say!("отозван / revoked: {id}")?;
            Ok(())
        }
    }
}
