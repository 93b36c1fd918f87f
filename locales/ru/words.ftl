# Слова закрытых списков: состояния, причины, виды сообщений, роли и права.

obligation-pending = ждёт вручения
obligation-open = открыто
obligation-warned = скоро срок
obligation-overdue = просрочено
obligation-met = исполнено в срок
obligation-met-late = исполнено с опозданием
obligation-cancelled = снято
obligation-waived = исполнение не требуется

delivery-queued = в очереди
delivery-leased = передаётся
delivery-sent = вручено, ждём квитанцию
delivery-delivered = доставлено
delivery-refused = отказ получателя
delivery-parked = отложено
delivery-expired = срок доставки истёк
delivery-stopped = остановлено

reason-unreachable = нет связи с участником
reason-timed-out = участник не ответил вовремя
reason-partner-error = ошибка на стороне участника
reason-broker-refused = брокер не принял сообщение
reason-broker-away = нет связи с брокером
reason-receipt-invalid = квитанция участника не прошла проверку
reason-receipt-missing = квитанция не пришла
reason-answer-refused = ответ участника не принят
reason-translation-failed = не удалось перевести в форму участника
reason-version-unsupported = участник получает другую версию сообщения, перевода в неё нет
reason-signing-failed = шлюз не смог подписать
reason-route-missing = нет маршрута к участнику
reason-attachment-awaited = ждёт вложения от отправителя
reason-attachment-invalid = вложение не такое, как указано в сообщении
reason-consent-ended = в согласии отказано, или оно отозвано
reason-attempts-exhausted = попытки исчерпаны

settled-message = сообщением
settled-cancellation = снятием
settled-outside = вне шлюза
settled-waiver = решением не требовать исполнения

act-outside = исполнено вне шлюза
act-waive = решено не требовать исполнения
act-extend = срок продлён
act-note = пометка
act-retime = срок пересчитан по правилу
act-cancel = снято по правилу

way-paper = на бумаге
way-phone = по телефону
way-other = иначе

ground-citizen-refused = отказ гражданина
ground-citizen-absent = гражданин отсутствует или связи с ним нет
ground-citizen-moved = гражданин переехал
ground-citizen-died = смерть гражданина
ground-force-majeure = непреодолимая сила
ground-court-or-law = решение суда или требование закона
ground-request-withdrawn = запрос отозван
ground-debtor-reorganised = реорганизация или ликвидация должника
ground-error-of-registration = ошибка регистрации
ground-agreed-extension = продление согласовано сторонами
ground-other-by-order = иное, по распоряжению

type-application = Заявление
type-case-handover = Передача дела
type-consent = Согласие гражданина
type-contract = Договор
type-curator = Назначение куратора
type-databank-answer = Ответ банка данных
type-databank-entry = Включение в банк данных
type-databank-query = Запрос в банк данных
type-deadline-reminder = Напоминание о сроке
type-decision = Решение
type-document-request = Межведомственный запрос
type-document-response = Ответ на запрос
type-effectiveness-assessment = Оценка эффективности
type-extension = Продление
type-family-refusal = Отказ семьи
type-group-conclusion = Заключение рабочей группы
type-guardianship-report = Сведения органу опеки
type-identification-notice = Извещение о выявлении
type-information-request = Запрос сведений
type-information-response = Ответ на запрос сведений
type-level-change = Смена уровня
type-measure-mark = Отметка о мероприятии
type-ministry-report = Отчёт министерству
type-needs-assessment = Оценка нуждаемости
type-note = Заметка
type-notice = Уведомление шлюза
type-personal-data-change = Изменение персональных данных
type-programme = Программа сопровождения
type-programme-remarks = Замечания к программе
type-progress-report = Отчёт о мероприятиях
type-proposal = Предложение
type-provision-act = Акт предоставления
type-quarterly-analysis = Квартальный анализ
type-request-withdrawal = Отзыв запроса
type-rights-violation = Сообщение о нарушении прав
type-statistics = Статистика и аналитика
type-termination = Завершение
type-termination-request = Заявление о расторжении
type-yearly-summary = Годовой отчёт

role-operator = оператор
role-administrator = администратор
role-auditor = проверяющий
role-security-officer = сотрудник безопасности

data-class-general = общие
data-class-health = о здоровье
data-class-criminal-record = о судимости
data-class-adoption = тайна усыновления
data-class-minors = о несовершеннолетних

month-1 = января
month-2 = февраля
month-3 = марта
month-4 = апреля
month-5 = мая
month-6 = июня
month-7 = июля
month-8 = августа
month-9 = сентября
month-10 = октября
month-11 = ноября
month-12 = декабря

weekday-1 = пн
weekday-2 = вт
weekday-3 = ср
weekday-4 = чт
weekday-5 = пт
weekday-6 = сб
weekday-7 = вс
