# Words of closed lists: states, reasons, types of messages, roles and rights.

obligation-pending = waits to be handed over
obligation-open = open
obligation-warned = due soon
obligation-overdue = overdue
obligation-met = met in time
obligation-met-late = met late
obligation-cancelled = cancelled
obligation-waived = need not be met

delivery-queued = queued
delivery-leased = being handed over
delivery-sent = handed over, receipt awaited
delivery-delivered = delivered
delivery-refused = refused by the recipient
delivery-parked = parked
delivery-expired = expired
delivery-stopped = stopped

reason-unreachable = the participant cannot be reached
reason-timed-out = the participant did not answer in time
reason-partner-error = an error on the participant's side
reason-broker-refused = the broker did not take the message
reason-broker-away = the broker cannot be reached
reason-receipt-invalid = the participant's receipt failed verification
reason-receipt-missing = no receipt came
reason-answer-refused = the participant's answer was not accepted
reason-translation-failed = it could not be translated for the participant
reason-version-unsupported = the participant takes another version and there is no conversion
reason-signing-failed = the gateway could not sign
reason-route-missing = there is no route to the participant
reason-attachment-awaited = waits for the sender's attachments
reason-attachment-invalid = an attachment is not what the message says
reason-consent-ended = consent was refused or withdrawn
reason-attempts-exhausted = all attempts are used up

settled-message = by a message
settled-cancellation = by cancellation
settled-outside = outside of the gateway
settled-waiver = by a waiver

act-outside = met outside of the gateway
act-waive = waived
act-extend = extended
act-note = note
act-retime = counted anew by the rule
act-cancel = cancelled by the rule

way-paper = on paper
way-phone = by telephone
way-other = otherwise

ground-citizen-refused = the citizen refused
ground-citizen-absent = the citizen is absent or cannot be reached
ground-citizen-moved = the citizen moved away
ground-citizen-died = the citizen died
ground-force-majeure = force majeure
ground-court-or-law = a court or a law
ground-request-withdrawn = the request was withdrawn
ground-debtor-reorganised = the debtor is reorganised or closed
ground-error-of-registration = registered by mistake
ground-agreed-extension = agreed by both sides
ground-other-by-order = other, by order

type-application = Application
type-case-handover = Hand-over of a case
type-consent = Consent of a citizen
type-contract = Contract
type-curator = Appointment of a curator
type-databank-answer = Answer of the databank
type-databank-entry = Entry into the databank
type-databank-query = Query to the databank
type-deadline-reminder = Reminder of a deadline
type-decision = Decision
type-document-request = Interagency request
type-document-response = Answer to a request
type-effectiveness-assessment = Assessment of effectiveness
type-extension = Extension
type-family-refusal = Refusal of the family
type-group-conclusion = Conclusion of the working group
type-guardianship-report = Report to guardianship
type-identification-notice = Notice of identification
type-information-request = Request for information
type-information-response = Answer with information
type-level-change = Change of level
type-measure-mark = Mark on a measure
type-ministry-report = Report to the ministry
type-needs-assessment = Assessment of needs
type-note = Note
type-notice = Notice of the gateway
type-personal-data-change = Change of personal data
type-programme = Programme of accompaniment
type-programme-remarks = Remarks on a programme
type-progress-report = Report on measures
type-proposal = Proposal
type-provision-act = Act of provision
type-quarterly-analysis = Quarterly analysis
type-request-withdrawal = Withdrawal of a request
type-rights-violation = Notice of a violation of rights
type-statistics = Statistics and analysis
type-termination = Termination
type-termination-request = Request to end the contract
type-yearly-summary = Yearly summary

role-operator = operator
role-administrator = administrator
role-auditor = auditor
role-security-officer = security officer

data-class-general = general
data-class-health = of health
data-class-criminal-record = of criminal records
data-class-adoption = the secret of adoption
data-class-minors = of minors

month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec

weekday-1 = Mon
weekday-2 = Tue
weekday-3 = Wed
weekday-4 = Thu
weekday-5 = Fri
weekday-6 = Sat
weekday-7 = Sun
