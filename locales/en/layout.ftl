# What stands around every page.

nav-overview = Overview
nav-obligations = Deadlines
nav-journal = Journal
nav-accounts = People
nav-cases = Cases
nav-reports = Reports

layout-skip = To the content
layout-navigation = Sections
layout-account = My access
layout-sign-out = Sign out
layout-password = Change the password
layout-other-language = Русский
layout-theme = Theme: { $theme }
layout-demo-time = demo time
layout-on = As of
layout-node = node { $node }
layout-menu = Menu

theme-auto = as the system
theme-light = light
theme-dark = dark

parts-next = Further
parts-first = To the beginning
parts-pages = Pages
parts-show = Show
parts-clear = Clear
parts-any = all
parts-filters = Filters
parts-cancel = Cancel

span-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
}
span-hours = { $n } h
span-minutes = { $n } min
span-moment = less than a minute
due-by-end-of = by the end of { $day }
due-none = no due date
late-by = late by { $span }
left-span = { $span } left

error-title-not-found = There is nothing here
error-text-not-found = There is no such page, or it is not in your part of the exchange. Check the address, or begin with the overview.
error-title-forbidden = No right
error-text-forbidden = Your account has not the right to this. Rights are given by an administrator.
error-title-stale-form = The form is stale
error-text-stale-form = The form came from another session or another site, and nothing was changed. Go back, reload the page and send it again.
error-title-too-large = Too much data
error-text-too-large = The form with its files is larger than the gateway takes. Nothing was changed.
error-title-bad-request = The request was not understood
error-text-bad-request = This page is not asked for like this. Nothing was changed.
error-title-store-away = The database is away
error-text-store-away = The gateway cannot read its database now. The page reloads by itself.
error-title-defect = A defect
error-text-defect = The page could not be made. The error is in the node's log; tell the administrator.
error-home = To the overview
