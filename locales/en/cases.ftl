# Cases.

cases-title = Cases
cases-states = State
cases-none = There are no such cases.
cases-none-filtered = No case matches these filters.
case-state-open = Open
case-state-closed = Closed
case-state-all = All
case-title = Case
case-group = family
case-individual = citizen
case-open = open
case-closed = closed
case-unseen = { $n ->
    [one] { $n } step was not seen by the gateway
   *[other] { $n } steps were not seen by the gateway
}
case-part = Your part of the case only is shown.
case-more = Not all is shown: the case has more than 500 messages or terms.
case-flags = To look at
case-steps = Steps
case-no-steps = The gateway has seen no step yet.
case-step-unseen = not seen by the gateway
case-measures = Measures
case-no-measures = The gateway has seen no approved programme.
case-outside = an organisation outside of the gateway
case-reports = Who reports when
case-no-reports = Nobody owes a report on this case.
case-duties = Terms
case-no-duties = There are no terms in this case.
case-consents = Consents
case-to-all = to all
case-all-data = all data
case-of-another = about another person
case-until = until { $day }
case-conversations = Conversations
case-no-conversations = There are no messages of this case.
case-conversation = Conversation { $id }
case-its-course = The course of this conversation
case-its-duties = Terms of this conversation
case-all = All cases
case-regulation = Regulation
case-territory = Territory (OKTMO)
case-kind = Who
case-opened = Opened
case-begins = First day
case-ends = Last day
case-stated-end = The document's end, beyond the limit
case-level = Level
case-since = since { $day }
case-curator = Curator (code)
case-programme = Programme
case-programme-of = No. { $number }, version { $version }
case-contract = Contract signed
case-closed-at = Closed
column-case = Case
column-days = Accompaniment
column-level = Level
column-curator = Curator
column-attention = To look at
column-measure = Measure
column-responsible = Who is responsible
column-measure-days = When

say-territory = territory (beginning of OKTMO)
say-curator = curator (code)
say-level = level
