# Отчёты.

reports-title = Отчёты
reports-periods = Периоды
reports-xlsx = Скачать XLSX
reports-csv = Скачать CSV
reports-show-personal = Показать персональные данные
reports-nothing = За этот период ничего нет.
reports-how = Как это считается
reports-more = { $n ->
    [one] Ещё { $n } строка — в файле.
    [few] Ещё { $n } строки — в файле.
   *[other] Ещё { $n } строк — в файле.
}
reports-too-many = В периоде больше 5000 обращений. Возьмите период короче.

say-report = отчёт
say-regulation = регламент
say-period = месяц, квартал, год
reports-day-from = или дни с
reports-day-to = по
