# Что стоит вокруг каждой страницы.

nav-overview = Сводка
nav-obligations = Сроки
nav-journal = Журнал
nav-accounts = Пользователи
nav-cases = Дела
nav-reports = Отчёты

layout-skip = К содержанию
layout-navigation = Разделы
layout-account = Мой доступ
layout-sign-out = Выйти
layout-password = Сменить пароль
layout-other-language = English
layout-theme = Оформление: { $theme }
layout-demo-time = демонстрационное время
layout-on = На
layout-node = узел { $node }
layout-menu = Меню

theme-auto = как в системе
theme-light = светлое
theme-dark = тёмное

parts-next = Дальше
parts-first = В начало
parts-pages = Страницы
parts-show = Показать
parts-clear = Сбросить
parts-any = все
parts-filters = Отбор
parts-cancel = Отмена

span-days = { $n ->
    [one] { $n } день
    [few] { $n } дня
   *[many] { $n } дней
}
span-hours = { $n } ч
span-minutes = { $n } мин
span-moment = меньше минуты
due-by-end-of = до конца { $day }
due-none = без срока
late-by = опоздание { $span }
left-span = осталось { $span }

error-title-not-found = Здесь ничего нет
error-text-not-found = Такой страницы нет, или она не в вашей части обмена. Проверьте адрес или начните со сводки.
error-title-forbidden = Нет права
error-text-forbidden = У вашей учётной записи нет права на это. Права даёт администратор.
error-title-stale-form = Форма устарела
error-text-stale-form = Форма отправлена из другого сеанса или с другого сайта, и ничего не изменено. Вернитесь назад, обновите страницу и отправьте ещё раз.
error-title-too-large = Слишком много данных
error-text-too-large = Форма с файлами больше, чем принимает шлюз. Ничего не изменено.
error-title-bad-request = Запрос не понят
error-text-bad-request = Так эту страницу не спрашивают. Ничего не изменено.
error-title-store-away = База данных недоступна
error-text-store-away = Шлюз сейчас не может прочитать базу данных. Страница обновится сама.
error-title-defect = Ошибка программы
error-text-defect = Страница не получилась. Ошибка записана в журнал узла; скажите о ней администратору.
error-home = К сводке
