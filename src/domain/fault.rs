//! The one closed table of faults.
//!
//! A fault tells the peer a code and a bland sentence; what exactly went wrong goes to the operator.

use std::fmt;

/// What the gateway does with a message after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultClass {
    /// The sender must change something; repeating the same bytes gives the same fault.
    Reject,
    /// The same bytes may be accepted later.
    Retry,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $class:ident, $text:literal;)*) => {
        /// Why a message was refused. The code is stable and decides the HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FaultCode { $($(#[$doc])* $name,)* }

        impl FaultCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code that travels.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status that carries it.
            pub fn http_status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Whether repeating can help.
            pub fn class(self) -> FaultClass {
                match self { $(Self::$name => FaultClass::$class,)* }
            }

            /// The bland sentence for the peer: it tells no more than the code.
            pub fn bland(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

faults! {
    /// Not UTF-8.
    NotUtf8 = "not-utf8", 400, Reject, "The document is not UTF-8.";
    /// Another encoding is declared.
    EncodingForbidden = "encoding-forbidden", 400, Reject, "Only UTF-8 may be declared.";
    /// XML 1.1 or another version.
    XmlVersion = "xml-version", 400, Reject, "Only XML 1.0 is read.";
    /// Not well-formed, or nothing at all.
    NotXml = "not-xml", 400, Reject, "The document is not well-formed XML with namespaces.";
    /// A document type declaration.
    DtdForbidden = "dtd-forbidden", 400, Reject, "A document type declaration is not allowed.";
    /// A comment.
    CommentForbidden = "comment-forbidden", 400, Reject, "Comments are not allowed.";
    /// A processing instruction.
    PiForbidden = "pi-forbidden", 400, Reject, "Processing instructions are not allowed.";
    /// Elements nested too deep.
    TooDeep = "too-deep", 400, Reject, "The document is nested too deep.";
    /// Too many nodes.
    TooManyNodes = "too-many-nodes", 400, Reject, "The document has too many nodes.";
    /// An attribute of the XML Schema instance namespace.
    XsiForbidden = "xsi-forbidden", 400, Reject, "Attributes of the XML Schema instance namespace are not allowed.";
    /// One Id value twice.
    DuplicateId = "duplicate-id", 400, Reject, "An Id value occurs twice.";
    /// The root, header or body is not what an envelope has.
    NotEnvelope = "not-envelope", 400, Reject, "The document is not an envelope.";
    /// A header field has a wrong value.
    HeaderInvalid = "header-invalid", 400, Reject, "A header field has a wrong value.";
    /// There is no signature as the envelope's last child.
    SignatureMissing = "signature-missing", 401, Reject, "The envelope is not signed.";
    /// More than one signature.
    SignatureMany = "signature-many", 401, Reject, "The envelope has more than one signature.";
    /// The signature's form breaks the policy: references, transforms, methods, key info.
    SignaturePolicy = "signature-policy", 401, Reject, "The form of the signature is not allowed.";
    /// An algorithm outside of the closed list.
    AlgorithmForbidden = "algorithm-forbidden", 401, Reject, "The signature algorithm is not allowed.";
    /// The digest of the content differs.
    DigestMismatch = "digest-mismatch", 401, Reject, "The content was changed after signing.";
    /// The signature value does not verify.
    SignatureInvalid = "signature-invalid", 401, Reject, "The signature is not valid.";
    /// The sender is not a participant.
    SenderUnknown = "sender-unknown", 401, Reject, "The sender is not known.";
    /// The certificate is not registered for the sender.
    CertificateUnknown = "certificate-unknown", 401, Reject, "The certificate is not registered for the sender.";
    /// The certificate is not valid now.
    CertificateExpired = "certificate-expired", 401, Reject, "The certificate is not valid at this time.";
    /// A read without a ticket, or with one for something else, or too old.
    TicketInvalid = "ticket-invalid", 401, Reject, "A valid ticket is needed.";
    /// A post without an envelope, without a token of a participant that may post so.
    TokenInvalid = "token-invalid", 401, Reject, "A valid token is needed.";
    /// The recipient is not a participant.
    RecipientUnknown = "recipient-unknown", 403, Reject, "The recipient is not known.";
    /// The sender may not send this type to this recipient.
    RouteForbidden = "route-forbidden", 403, Reject, "This type may not be sent to this recipient.";
    /// It may be passed on with a consent only, and the consent is refused, withdrawn or has run out.
    ConsentMissing = "consent-missing", 403, Reject, "There is no consent to passing this on.";
    /// The message came on a queue of another participant.
    QueueMismatch = "queue-mismatch", 403, Reject, "The queue belongs to another participant.";
    /// What was asked for is not there, or not the asker's.
    NotFound = "not-found", 404, Reject, "There is no such thing for you.";
    /// The id was used by this sender for other content.
    IdReused = "id-reused", 409, Reject, "The message id was used for other content.";
    /// A pull id is used again after its lease ended.
    PullReused = "pull-reused", 409, Reject, "The pull id was used and its lease has ended.";
    /// The obligation has been met, waived or cancelled already.
    ObligationEnded = "obligation-ended", 409, Reject, "The obligation has ended already.";
    /// The case is closed and takes no such message.
    CaseClosed = "case-closed", 409, Reject, "The case is closed.";
    /// The regulation wants another step of the case first.
    StepMissing = "step-missing", 409, Reject, "Another step of the case must come first.";
    /// The document is larger than allowed.
    TooLarge = "too-large", 413, Reject, "The document is too large.";
    /// A body without an envelope is not of the form that its sender is configured for.
    MediaTypeWrong = "media-type-wrong", 415, Reject, "The body is not of the form that you are configured for.";
    /// `Created` is too far in the future.
    CreatedInFuture = "created-in-future", 422, Reject, "Created lies too far in the future.";
    /// `Created` is too long ago.
    CreatedTooOld = "created-too-old", 422, Reject, "Created lies too long ago.";
    /// `Expires` has passed.
    Expired = "expired", 422, Reject, "Expires has passed.";
    /// The gateway does not know this type or version.
    TypeUnknown = "type-unknown", 422, Reject, "The message type or its version is not known.";
    /// The recipient takes another version of this type, and no conversion leads there.
    VersionUnsupported = "version-unsupported", 422, Reject, "The recipient takes another version of this type.";
    /// The body breaks its schema.
    SchemaInvalid = "schema-invalid", 422, Reject, "The body does not fit its schema.";
    /// A value breaks a rule that the schema cannot say (a check digit, a date in the future).
    ContentInvalid = "content-invalid", 422, Reject, "A value in the body is not allowed.";
    /// The body could not be translated to the canonical form, or not be converted to the version that the recipient takes.
    TranslationFailed = "translation-failed", 422, Reject, "The body could not be translated.";
    /// An attachment is missing, has another digest, or is of a kind that is not taken.
    AttachmentInvalid = "attachment-invalid", 422, Reject, "An attachment is not as listed.";
    /// The message it answers or the case it names is not known.
    ReferenceUnknown = "reference-unknown", 422, Reject, "The message or case that it refers to is not known.";
    /// No participant holds the role for the territory.
    RoleVacant = "role-vacant", 422, Reject, "No participant holds the needed role for the territory.";
    /// Too many refused messages from this address.
    TooFast = "too-fast", 429, Retry, "Too many requests.";
    /// The gateway cannot take it now.
    NotNow = "not-now", 503, Retry, "The gateway cannot take the message now.";
}

impl FaultCode {
    /// The code with this text.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.code() == code)
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A refusal: the code for the peer, and for the sender and the operator where and what exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Fault {
    /// The code.
    pub code: FaultCode,
    /// What exactly, with the place (line, element, field), never a value from the body. After a verified signature it is also
    /// told to the sender.
    pub detail: String,
}

impl Fault {
    /// A fault with its detail.
    pub fn new(code: FaultCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_parse_back() {
        for (i, a) in FaultCode::ALL.iter().enumerate() {
            assert_eq!(FaultCode::parse(a.code()), Some(*a));
            assert!(FaultCode::ALL.iter().skip(i + 1).all(|b| a.code() != b.code()), "{a}");
        }
    }
}
