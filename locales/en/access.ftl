# Signing in, the password, one's own access.

sign-in-title = Sign in
sign-in-lead = Interagency exchange gateway
sign-in-login = Login
sign-in-password = Password
sign-in-button = Sign in
sign-in-wrong = Wrong login or password.
sign-in-blocked = { $n ->
    [one] Too many attempts. The next one in { $n } minute.
   *[other] Too many attempts. The next one in { $n } minutes.
}
sign-in-help = Accounts are made by an administrator.

link-title = A new password
link-lead = The password of the account { $login }. The link is good once.
password-present = Present password
password-new = New password
password-again = New password again
password-rule = { $n ->
    [one] At least { $n } character. Some words that have nothing to do with each other will do.
   *[other] At least { $n } characters. Some words that have nothing to do with each other will do.
}
password-save = Save the password
password-differs = The two new passwords differ.
password-wrong = The present password is wrong.
weak-short = The password is too short.
weak-long = The password is too long.
weak-login = The password must not be the login.
weak-common = It is one of the commonest passwords. Take some words that have nothing to do with each other.

own-password-title = Change of the password
own-password-must = The password was given to you by somebody else. Set your own, and the other pages open.
own-password-ends = Your other sessions end.

notice-signed-out = You have signed out.
notice-password-set = The password is saved.
