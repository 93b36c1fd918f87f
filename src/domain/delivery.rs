//! Deliveries: one message on its way to one participant.

macro_rules! words {
    ($(#[$doc:meta])* $enum:ident { $($(#[$vdoc:meta])* $name:ident = $word:literal, $ru:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $enum { $($(#[$vdoc])* $name,)* }

        impl $enum {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word of the store and the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The words for people, in Russian.
            pub fn ru(self) -> &'static str {
                match self { $(Self::$name => $ru,)* }
            }

            /// Parses the stable word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.as_str() == word)
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $enum {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }
    };
}
pub(super) use words;

words! {
    /// Where a delivery stands.
    DeliveryState {
        /// Waits for its next attempt.
        Queued = "queued", "в очереди";
        /// A worker holds it.
        Leased = "leased", "передаётся";
        /// Handed over (HTTP 2xx, publisher confirm, or put in the mailbox); the partner's receipt is awaited.
        Sent = "sent", "вручено, ждём квитанцию";
        /// The partner's own signed receipt was verified.
        Delivered = "delivered", "доставлено";
        /// The partner answered with a signed fault.
        Refused = "refused", "отказ получателя";
        /// Stopped until a person acts.
        Parked = "parked", "отложено";
        /// `Expires` passed before it was handed over.
        Expired = "expired", "срок доставки истёк";
        /// What it rests on has ended before it was handed over: it never goes out.
        Stopped = "stopped", "остановлено";
        /// A person decided that it does not go out.
        Discarded = "discarded", "снято оператором";
    }
}

words! {
    /// Why a delivery is parked or was put back: a closed list.
    ParkReason {
        /// The partner could not be reached (connection, DNS, TLS).
        Unreachable = "unreachable", "нет связи с участником";
        /// The partner did not answer in time.
        TimedOut = "timed-out", "участник не ответил вовремя";
        /// The partner answered with an error status.
        PartnerError = "partner-error", "ошибка на стороне участника";
        /// The broker returned the message or refused it.
        BrokerRefused = "broker-refused", "брокер не принял сообщение";
        /// The broker or its connection is away.
        BrokerAway = "broker-away", "нет связи с брокером";
        /// The partner's answer is not a signed receipt or fault for this message.
        ReceiptInvalid = "receipt-invalid", "квитанция участника не прошла проверку";
        /// Handed over, but the receipt never came.
        ReceiptMissing = "receipt-missing", "квитанция не пришла";
        /// The partner took the message, but what it wrote back as its answer cannot be accepted.
        AnswerRefused = "answer-refused", "ответ участника не принят";
        /// The recipient's adapter failed, or its result breaks the partner's schema.
        TranslationFailed = "translation-failed", "не удалось перевести в форму участника";
        /// The recipient takes another version of this type, and no conversion leads there any more.
        VersionUnsupported = "version-unsupported", "участник получает другую версию сообщения, перевода в неё нет";
        /// The gateway could not sign.
        SigningFailed = "signing-failed", "шлюз не смог подписать";
        /// The participant is not in the configuration any more, or has no usable address.
        RouteMissing = "route-missing", "нет маршрута к участнику";
        /// The sender has not uploaded every attachment that the message lists.
        AttachmentAwaited = "attachment-awaited", "ждёт вложения от отправителя";
        /// An attachment that was uploaded is not as the message lists it.
        AttachmentInvalid = "attachment-invalid", "вложение не такое, как указано в сообщении";
        /// It rests on a consent that was refused or withdrawn.
        ConsentEnded = "consent-ended", "в согласии отказано, или оно отозвано";
        /// All attempts were made.
        AttemptsExhausted = "attempts-exhausted", "попытки исчерпаны";
        /// It could not be handed over in the time that the settings give.
        GivenUp = "given-up", "не удалось вручить за отведённое время";
        /// A person stopped the recipient's queue.
        QueueStopped = "queue-stopped", "очередь участника остановлена оператором";
        /// A person discarded it.
        Discarded = "discarded", "снято оператором";
    }
}
