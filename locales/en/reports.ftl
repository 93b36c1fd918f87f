# Reports.

reports-title = Reports
reports-periods = Periods
reports-xlsx = Download XLSX
reports-csv = Download CSV
reports-show-personal = Show personal data
reports-nothing = Nothing in this period.
reports-how = How it is counted
reports-more = { $n ->
    [one] { $n } more row is in the file.
   *[other] { $n } more rows are in the file.
}
reports-too-many = There are more than 5000 applications in the period. Take a shorter one.

say-report = report
say-regulation = regulation
say-period = month, quarter, year
reports-day-from = or days from
reports-day-to = to
