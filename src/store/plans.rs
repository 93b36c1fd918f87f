//! How the database goes about what is asked most, so that it can be seen that this costs what is found and not what is stored.

use crate::domain::{MessageId, ObligationId, ParticipantId, RuleId, Timestamp};

use super::error::Failure;
use super::rows::Rows;
use super::sql::{Select, Tx, Val, Vals, text};
use super::views::listings;
use super::writer::Write;
use super::{
    Cancelling, DueCursor, ObligationFilter, ObligationGroup, Store, StoreError, case_work, obligations, voiding,
};

/// How many rows are asked for in a plan, and how many are marked.
const ROWS: u32 = 100;

/// A statement's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryPlan {
    /// What the statement is for, in a few English words.
    pub what: &'static str,
    /// The plan's lines in the database's own words: `EXPLAIN QUERY PLAN` of SQLite, `EXPLAIN` of PostgreSQL.
    pub lines: Vec<String>,
}

impl Store {
    /// The plans of the statements of a watcher's wake-up and of the lists of obligations that people open, as they would be run
    /// at `business_now`. Nothing is read or changed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn query_plans(&self, business_now: Timestamp) -> Result<Vec<QueryPlan>, StoreError> {
        let overdue = ObligationFilter { group: Some(ObligationGroup::Overdue), ..ObligationFilter::default() };
        let after = DueCursor { due_at: Some(business_now), id: ObligationId::from_uuid(uuid::Uuid::nil()) };
        let all = ObligationFilter::default();
        let mut reads: Vec<(&'static str, Select<'_>)> = vec![
            ("what is due", obligations::due(business_now, ROWS)),
            ("the next instant", obligations::next_instant()),
            ("schedules that are due", case_work::due(business_now, ROWS)),
            ("the next instant of a schedule", case_work::next_instant()),
        ];
        let lists = [
            ("the first page of overdue ones", &overdue, None),
            ("a further page of overdue ones", &overdue, Some(after)),
            ("the first page of all", &all, None),
        ];
        for (what, filter, after) in lists {
            reads.extend(listings(filter, after, ROWS).into_iter().map(|select| (what, select)));
        }
        let mut plans = Vec::new();
        for (what, select) in reads {
            plans.push(QueryPlan { what, lines: select.explain(self.inner.engine, self.readers()).await? });
        }
        plans.extend(self.task(WritePlans(business_now)).await?);
        Ok(plans)
    }
}

/// The writer's statements, planned on its own connection.
#[derive(Debug)]
struct WritePlans(Timestamp);

impl Write for WritePlans {
    type Out = Vec<QueryPlan>;

    async fn run(&self, tx: &mut Tx<'_>, _: &mut Rows<'_>) -> Result<Vec<QueryPlan>, Failure> {
        let at = || Val::from(self.0);
        let (id, key) = (|| text(uuid::Uuid::nil()), || text("key"));
        let mark = || vec![id(), at(), Val::Word("overdue"), 0.into(), at(), at(), at()];
        let statements: [(&'static str, _, Vals<'_>); 3] = [
            ("keys of what is marked", &obligations::KEYS, vec![id()]),
            ("settlements of what is marked", &obligations::MEET, vec![key()]),
            ("marking", &obligations::MARK, mark()),
        ];
        let mut plans = Vec::new();
        for (what, statement, row) in statements {
            plans.push(QueryPlan { what, lines: tx.explain_many(statement, vec![row; 64]).await? });
        }
        if let (Ok(rule), Ok(sender)) = (RuleId::parse("document-answer"), ParticipantId::parse("sender")) {
            let message = MessageId::from_uuid(uuid::Uuid::nil());
            let withdrawal = Cancelling::OpenedBy { rule, sender, message };
            let (sql, values) = voiding::to_cancel(&withdrawal).0.into_parts();
            plans.push(QueryPlan { what: "a withdrawal", lines: tx.explain(&sql, values).await? });
        }
        Ok(plans)
    }
}
