# Пользователи и свой доступ.

accounts-title = Пользователи
account-new = Завести
account-new-title = Новая учётная запись
account-new-note = Пароль человек задаст сам по ссылке, которая покажется один раз.
account-add = Завести и получить ссылку
account-login = Логин
account-name = Имя
account-roles = Роли
account-scope = Область
account-scope-note = Ничего не выбрано — видна вся область. Кому видна часть, тому закрыты настройки, журнал и пользователи.
account-whole = вся область
account-territory = территория { $code }
account-participants = Участники
account-territories = Территории: ОКТМО или их начала, через пробел
account-classes = Персональные данные (не выбрано — все)
account-signed-in = Последний вход
account-created = Заведена
account-password-at = Пароль задан
account-never = никогда
account-facts = Учётная запись
account-change = Имя и права
account-save = Сохранить
account-own-note = Это ваша учётная запись: свои права меняет другой администратор.
account-link = Ссылка для нового пароля
account-link-title = Ссылка для пароля
account-link-text = Передайте ссылку человеку с логином { $login }: по ней он задаст пароль. Больше она не покажется.
account-link-done = Готово
account-sign-out = Закончить все сеансы
account-disable = Закрыть
account-disable-title = Закрыть учётную запись?
account-disable-text = Человек с логином { $login } не сможет войти, его сеансы закончатся, токены перестанут действовать. Открыть её снова можно в любой момент.
account-enable = Открыть
account-state-enabled = открыта
account-state-disabled = закрыта
account-login-wrong = От 2 до 64 латинских строчных букв, цифр и знаков . - _ @.
account-login-taken = Такой логин уже есть.
account-name-wrong = Нужно имя, одна строка.
account-roles-none = Выберите хотя бы одну роль.
account-territories-wrong = Код ОКТМО — от 2 до 11 цифр.

own-title = Мой доступ
own-rights = Права
sessions-title = Сеансы
sessions-none = Сеансов нет.
sessions-end-others = Закончить все другие сеансы
session-begun = Начат
session-seen = Виден
session-address = Адрес
session-agent = Программа
session-current = этот
session-end = Закончить
column-act = Действие
tokens-title = Токены для программ
tokens-none = Токенов нет.
token-new = Новый токен
token-note = Программа с токеном видит и делает не больше, чем вы, и только то, что выбрано.
token-title = Для чего
token-days = Сколько дней действует
token-rights = Права
token-until = До
token-used = Использован
token-make = Выпустить
token-revoke = Отозвать
token-made-title = Токен выпущен
token-made-text = Сохраните токен: больше он не покажется.
token-title-wrong = Напишите, для чего он, одной строкой.
token-rights-none = Выберите хотя бы одно право.
token-state-enabled = действует
token-state-expired = истёк
token-state-revoked = отозван

notice-account-saved = Сохранено.
notice-account-disabled = Учётная запись закрыта, сеансы закончены.
notice-account-enabled = Учётная запись открыта.
notice-account-is-disabled = Учётная запись закрыта: сначала откройте её.
notice-session-ended = Сеанс закончен.
notice-sessions-ended = Сеансы закончены.
notice-token-revoked = Токен отозван.

account-link-hours = { $n ->
    [one] Ссылка действует { $n } час.
    [few] Ссылка действует { $n } часа.
   *[many] Ссылка действует { $n } часов.
}
token-days-wrong = { $n ->
    [one] Целое число от 1 до { $n }.
    [few] Целое число от 1 до { $n }.
   *[many] Целое число от 1 до { $n }.
}

right-see-overview = сводка
right-see-obligations = сроки
right-see-messages = сообщения без содержания
right-see-personal-data = содержание и персональные данные
right-see-cases = дела
right-see-queues = очереди
right-see-reports = отчёты
right-act-on-obligations = действия со сроками
right-act-on-queues = действия с очередями
right-see-configuration = настройки
right-configure-participants = настройка участников
right-see-journal = журнал
right-export-journal = выгрузка журнала
right-see-accounts = список пользователей
right-manage-accounts = управление пользователями
right-own-access = свой доступ
