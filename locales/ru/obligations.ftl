# Сводка и сроки.

overview-title = Сводка
overview-overdue = просрочено
overview-stuck = не вручено
overview-all = Все
overview-no-overdue = Просроченных обязательств нет.
overview-no-soon = Открытых обязательств нет.
overview-stuck-title = Не вручено
overview-stuck-note = Принято шлюзом, но получателю ещё не передано. Срок получателя не идёт, и отвечает за это не он.
overview-no-stuck = Всё принятое вручено.
overview-quiet-title = Запрашивать нечего
overview-quiet-note = Заявления, по которым все документы принёс гражданин: обязательство по запросу не открывается.
overview-no-quiet = Таких заявлений нет.
overview-quiet-row = дело { $case }, принято
overview-acts-title = Внесено людьми и участниками
overview-acts-note = Исполнено вне шлюза, решено не требовать, продлено: последние, новые первыми.
overview-no-acts = Ничего не исполнено вне шлюза, не снято и не продлено.
overview-overdue-title = Просрочено
overview-soon-title = Скоро срок

obligations-title = Сроки
obligations-groups = Группы
group-overdue = Просрочено
group-running = Исполняется
group-pending = Ждёт вручения
group-done = Закрыто
obligations-none = Таких обязательств нет.
obligations-none-filtered = По этому отбору ничего нет.

say-participant = участник
say-rule = правило
say-case = дело
say-conversation = переписка
say-from = срок с
say-to = срок по
say-page = страница
filter-unreadable = Не удалось прочитать отбор: { $field }. Исправьте или сбросьте его.

column-debtor = Кто должен
column-what = Что
column-due = Срок
column-state = Состояние
column-creditor = Кому
column-source = Основание
column-to = Кому
column-message = Сообщение
column-accepted = Принято
column-reason = Причина
column-done = Что сделано
column-when = Когда
column-by = Кто внёс

citizen = Гражданин
wish = пожелание: { $text }
moved-from = перенесено; первый срок { $due }
was-due = был { $due }
conversation-of = переписка
case-of = дело
message-from = { $type } от { $sender }
attempts = { $n ->
    [one] { $n } попытка
    [few] { $n } попытки
   *[many] { $n } попыток
}
first-attempt-ahead = первая попытка впереди
source-unchecked = { $place } (редакция не проверена)
late-files = ответ принят { $claimed }, файлы ещё не пришли; без опоздания — до { $until }
document-of = № { $number } от { $date }
document-number = № { $number }
