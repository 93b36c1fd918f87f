//! Obligations: who owes whom which message by when.

use super::delivery::words;

words! {
    /// Where an obligation stands.
    ObligationState {
        /// Waits for its start: the message that opens it is accepted but not yet `sent`.
        Pending = "pending", "ждёт вручения";
        /// Runs.
        Open = "open", "открыто";
        /// Runs, and its warning instant has passed.
        Warned = "warned", "скоро срок";
        /// Its due instant has passed and it is not met.
        Overdue = "overdue", "просрочено";
        /// Met in time.
        Met = "met", "исполнено в срок";
        /// Met after its due instant.
        MetLate = "met-late", "исполнено с опозданием";
        /// Gone, for what it stood on has ended.
        Cancelled = "cancelled", "снято";
        /// An operator waived it, by a document: it need not be met any more.
        Waived = "waived", "исполнение не требуется";
    }
}

impl ObligationState {
    /// Whether it still runs (or waits to).
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Open | Self::Warned | Self::Overdue)
    }
}

words! {
    /// What settled an obligation.
    SettleKind {
        /// A message that passed the gateway.
        Message = "message", "сообщением";
        /// What it stood on has ended.
        Cancellation = "cancellation", "снятием";
        /// What was done outside of the gateway: on paper, by telephone, in another system.
        Outside = "outside", "вне шлюза";
        /// A waiver.
        Waiver = "waiver", "решением не требовать исполнения";
    }
}

words! {
    /// What can be done to an obligation beside the messages that open and settle it.
    ActKind {
        /// It was met outside of the gateway.
        Outside = "outside", "исполнено вне шлюза";
        /// It need not be met any more.
        Waive = "waive", "решено не требовать исполнения";
        /// Its due was moved later, by a document.
        Extend = "extend", "срок продлён";
        /// A remark; nothing changes.
        Note = "note", "пометка";
        /// A rule moved its due, for what it counts from has moved.
        Retime = "retime", "срок пересчитан по правилу";
        /// A rule cancelled it, for what it stood on has ended.
        Cancel = "cancel", "снято по правилу";
        /// A person reminded the debtor; nothing changes.
        Remind = "remind", "должнику напомнили";
    }
}

words! {
    /// How something was done outside of the gateway.
    OutsideWay {
        /// On paper.
        Paper = "paper", "на бумаге";
        /// By telephone.
        Phone = "phone", "по телефону";
        /// By another system or in another way, which the note says.
        Other = "other", "иначе";
    }
}

words! {
    /// Why an obligation is waived or its due extended: a closed list. The document that says so is named beside.
    ActGround {
        /// The citizen refused.
        CitizenRefused = "citizen-refused", "отказ гражданина";
        /// The citizen is absent or cannot be reached.
        CitizenAbsent = "citizen-absent", "гражданин отсутствует или связи с ним нет";
        /// The citizen moved away.
        CitizenMoved = "citizen-moved", "гражданин переехал";
        /// The citizen died.
        CitizenDied = "citizen-died", "смерть гражданина";
        /// Force majeure.
        ForceMajeure = "force-majeure", "непреодолимая сила";
        /// A court or a law says so.
        CourtOrLaw = "court-or-law", "решение суда или требование закона";
        /// The request was withdrawn.
        RequestWithdrawn = "request-withdrawn", "запрос отозван";
        /// The debtor is reorganised or closed.
        DebtorReorganised = "debtor-reorganised", "реорганизация или ликвидация должника";
        /// It was registered by mistake.
        ErrorOfRegistration = "error-of-registration", "ошибка регистрации";
        /// Both sides agreed on a later date.
        AgreedExtension = "agreed-extension", "продление согласовано сторонами";
        /// Something else, by an order that is named.
        OtherByOrder = "other-by-order", "иное, по распоряжению";
    }
}

impl ActGround {
    /// The words for people, in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::CitizenRefused => "the citizen refused",
            Self::CitizenAbsent => "the citizen is absent or cannot be reached",
            Self::CitizenMoved => "the citizen moved away",
            Self::CitizenDied => "the citizen died",
            Self::ForceMajeure => "force majeure",
            Self::CourtOrLaw => "a court or a law",
            Self::RequestWithdrawn => "the request was withdrawn",
            Self::DebtorReorganised => "the debtor is reorganised or closed",
            Self::ErrorOfRegistration => "registered by mistake",
            Self::AgreedExtension => "agreed by both sides",
            Self::OtherByOrder => "other, by order",
        }
    }

    /// Whether it can be the ground of a waiver.
    pub fn waives(self) -> bool {
        !matches!(self, Self::AgreedExtension)
    }

    /// Whether it can be the ground of an extension. What ends an obligation is no reason to give it more time.
    pub fn extends(self) -> bool {
        matches!(
            self,
            Self::CitizenAbsent
                | Self::ForceMajeure
                | Self::CourtOrLaw
                | Self::DebtorReorganised
                | Self::AgreedExtension
                | Self::OtherByOrder
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ground_is_one_of_something() {
        for ground in ActGround::ALL {
            assert!(ground.waives() || ground.extends(), "{ground}");
            assert_eq!(ActGround::parse(ground.as_str()), Some(*ground));
            assert!(!ground.ru().is_empty() && !ground.en().is_empty(), "{ground}");
        }
    }

    #[test]
    fn a_waived_obligation_does_not_run() {
        assert!(ObligationState::Overdue.is_open() && !ObligationState::Waived.is_open());
    }
}
