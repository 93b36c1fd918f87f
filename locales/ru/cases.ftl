# Дела.

cases-title = Дела
cases-states = Состояние
cases-none = Таких дел нет.
cases-none-filtered = По этому отбору дел нет.
case-state-open = Открытые
case-state-closed = Закрытые
case-state-all = Все
case-title = Дело
case-group = семья
case-individual = гражданин
case-open = открыто
case-closed = закрыто
case-unseen = { $n ->
    [one] { $n } шаг не виден шлюзу
    [few] { $n } шага не видны шлюзу
   *[other] { $n } шагов не видно шлюзу
}
case-part = Показана только ваша часть дела.
case-more = Показано не всё: у дела больше 500 сообщений или сроков.
case-flags = Внимание
case-steps = Шаги
case-no-steps = Шлюз ещё не видел ни одного шага.
case-step-unseen = шлюз этого не видел
case-measures = Мероприятия
case-no-measures = Утверждённой программы шлюз не видел.
case-outside = организация вне шлюза
case-reports = Кто и когда отчитывается
case-no-reports = Отчётов по делу никто не должен.
case-duties = Сроки
case-no-duties = Сроков по делу нет.
case-consents = Согласия
case-to-all = всем
case-all-data = все данные
case-of-another = о другом лице
case-until = по { $day }
case-conversations = Переписка
case-no-conversations = Сообщений по делу нет.
case-conversation = Переписка { $id }
case-its-course = Ход этой переписки
case-its-duties = Сроки этой переписки
case-all = Все дела
case-regulation = Регламент
case-territory = Территория (ОКТМО)
case-kind = Кто
case-opened = Открыто
case-begins = Первый день
case-ends = Последний день
case-stated-end = Конец по документу, сверх предела
case-level = Уровень
case-since = с { $day }
case-curator = Куратор (код)
case-programme = Программа
case-programme-of = № { $number }, редакция { $version }
case-contract = Договор подписан
case-closed-at = Закрыто
column-case = Дело
column-days = Сопровождение
column-level = Уровень
column-curator = Куратор
column-attention = Внимание
column-measure = Мероприятие
column-responsible = Кто отвечает
column-measure-days = Когда

say-territory = территория (начало ОКТМО)
say-curator = куратор (код)
say-level = уровень
