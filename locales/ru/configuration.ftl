# Регламент, календарь, адаптеры.

nav-regulations = Регламент
nav-calendar = Календарь
nav-adapters = Адаптеры
regulations-title = Регламент
regulation-from = Действует с { $date }
regulation-calendar = календарь { $name }
regulation-revision = редакция { $n }
regulation-checked = сверено { $date }
regulation-unchecked = редакция не проверена
regulation-by-table = по таблице { $id }
regulation-no-term = без срока
regulation-rules = Правила
regulation-rule = Правило
regulation-term = Срок
regulation-source = Откуда
regulation-state = Состояние
regulation-off = выключено
regulation-on = действует
regulation-documents = Документы
regulation-rules-count = { $n ->
    [one] { $n } правило
    [few] { $n } правила
   *[many] { $n } правил
}
regulation-off-count = выключено { $n }
calculator-title = Что если: посчитать срок
calculator-note = Считает по календарю регламента в поясе региона. Срок — как в файле регламента: 3 working days, 2 weeks, day 5 of next month.
calculator-term = Срок
calculator-from = От дня или момента: 2026-05-06
calculator-roll = Если выпадает на выходной
calculator-count = Посчитать
calculator-from-unreadable = Начало не читается; можно 2026-05-06, 2026-05-06T10:00:00+05:00, 2026-06, 2026-Q4.
roll-none = не переносить
roll-forward = на рабочий день после
roll-back = на рабочий день до
calendar-title = Календарь: { $year }
calendar-which = Календари
calendar-years = Годы
calendar-no-year = На этот год данных нет: сроки, которые его касаются, не считаются, пока данные не добавлены.
calendar-working = { $n ->
    [one] { $n } рабочий день
    [few] { $n } рабочих дня
   *[many] { $n } рабочих дней
}
calendar-doubt = Сомнение: { $text }
calendar-legend = У месяца — число рабочих дней. Цветом: нерабочие дни, сокращённые и рабочие выходные; что за день, говорит подсказка.
day-working = рабочий день
day-short = сокращённый день
day-weekend = выходной
day-nonworking = нерабочий день
day-moved = рабочий выходной
month-name-1 = Январь
month-name-2 = Февраль
month-name-3 = Март
month-name-4 = Апрель
month-name-5 = Май
month-name-6 = Июнь
month-name-7 = Июль
month-name-8 = Август
month-name-9 = Сентябрь
month-name-10 = Октябрь
month-name-11 = Ноябрь
month-name-12 = Декабрь
adapters-title = Адаптеры
adapters-note = Папка адаптера переводит между канонической формой и формой участника.
adapter-name = Адаптер
adapter-form = Форма
adapter-types = Виды сообщений
adapter-used-by = Кто пользуется
adapter-unused = никто
adapter-canonical = каноническая
adapter-samples = Образцы
adapter-passed = прошло: { $n }
adapter-failed = не прошло: { $n }
adapter-preview = Перевести свой образец
adapter-preview-note = Вставьте тело в канонической форме или в форме участника. Оно нигде не сохраняется; настоящих людей лучше не вставлять.
adapter-type = Вид сообщения
adapter-body = Тело
adapter-try = Перевести
adapter-to-partner = → участнику
adapter-to-canonical = ← от участника
say-paste-a-sample = Выберите вид сообщения и вставьте тело.
preview-input = Проверка образца
preview-conversion = Перевод версии
preview-translation = Перевод
preview-back = Обратно
preview-comparison = Сравнение
