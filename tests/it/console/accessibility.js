// What a page must hold to for people who see little, do not use a mouse, or listen to it: WCAG 2.2 AA as far as a program can tell.
// Answers a list of findings, each naming its rule and its place; an empty one is what a test wants.
const findings = [];
const place = (element) => {
  const own = element.id ? '#' + element.id : element.className && typeof element.className === 'string' ? '.' + element.className.split(' ')[0] : '';
  return `${element.tagName.toLowerCase()}${own} «${(element.textContent || '').trim().slice(0, 40)}»`;
};
const find = (rule, element, what) => findings.push(`${rule}: ${element ? place(element) : ''} ${what || ''}`.trim());
const all = (selector) => [...document.querySelectorAll(selector)];
const isShown = (element) => {
  const style = getComputedStyle(element);
  return style.visibility !== 'hidden' && element.getClientRects().length > 0 && !element.closest('[hidden]');
};
const texts = (ids) => (ids || '').split(/\s+/).filter(Boolean).map((id) => document.getElementById(id));

// 2.4.2, 3.1.1, 1.3.1, 2.4.1: a title, a language, landmarks, headings in order, a way past the navigation.
if (!document.documentElement.lang) find('language', document.documentElement);
if (!document.title.trim()) find('title', document.documentElement);
if (all('main').length !== 1) find('main', null, `${all('main').length} of them`);
const headings = all('h1,h2,h3,h4,h5,h6').filter(isShown);
if (headings.filter((h) => h.tagName === 'H1').length !== 1) find('one-h1', document.body);
headings.reduce((before, heading) => {
  const level = Number(heading.tagName[1]);
  if (level > before + 1) find('heading-order', heading, `h${before} before it`);
  return level;
}, 0);
const skip = document.querySelector('a[href^="#"]');
if (document.querySelector('nav') && !(skip && document.querySelector(skip.getAttribute('href')))) find('skip-link', document.body);

// 4.1.1 in its time, and what refers to ids still needs it: ids are unique, and references lead somewhere.
const ids = new Set();
for (const element of all('[id]')) {
  if (ids.has(element.id)) find('id-twice', element);
  ids.add(element.id);
}
for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls']) {
  for (const element of all(`[${attribute}]`)) {
    if (texts(element.getAttribute(attribute)).includes(null)) find('reference', element, attribute);
  }
}

// 1.1.1, 2.4.4, 3.3.2, 4.1.2: everything that can be used has a name.
const name = (element) => {
  const labelled = texts(element.getAttribute('aria-labelledby')).map((e) => e && e.textContent).join(' ');
  const labels = [...(element.labels || [])].map((label) => label.textContent).join(' ');
  const image = [...element.querySelectorAll('img[alt],svg[aria-label]')].map((e) => e.getAttribute('alt') || e.getAttribute('aria-label')).join(' ');
  const isButton = element.matches('input[type=submit],input[type=button]');
  const own = element.matches('input,select,textarea') ? '' : element.textContent;
  return [labelled, element.getAttribute('aria-label') || '', labels, isButton ? element.value : '', own, image, element.title].join(' ').trim();
};
for (const element of all('a[href],button,summary,input:not([type=hidden]),select,textarea')) {
  if (isShown(element) && !name(element)) find('name', element, element.name || element.getAttribute('href'));
}
for (const image of all('img')) if (!image.hasAttribute('alt')) find('image-alt', image, image.src);
for (const drawing of all('svg')) {
  const told = drawing.getAttribute('aria-label') || drawing.getAttribute('aria-labelledby') || drawing.querySelector(':scope > title');
  if (!drawing.closest('[aria-hidden=true]') && !(drawing.getAttribute('role') === 'img' && told)) find('drawing', drawing);
}
for (const table of all('table')) if (!table.querySelector('th')) find('table-head', table);
for (const item of all('li')) if (!item.parentElement.matches('ul,ol,menu')) find('list', item);
for (const element of all('[tabindex]')) if (element.tabIndex > 0) find('tabindex', element);
for (const mark of all('[aria-invalid=true]')) if (!mark.getAttribute('aria-describedby')) find('error-text', mark);

// 1.4.3: text stands out from what is behind it.
const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
const over = (front, back) => {
  const alpha = front.length > 3 ? front[3] : 1;
  return [0, 1, 2].map((i) => front[i] * alpha + back[i] * (1 - alpha));
};
const behind = (element) => {
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(channels(getComputedStyle(e).backgroundColor));
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255];
  return layers.reverse().reduce((back, layer) => over(layer, back), canvas);
};
const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ratio = (a, b) => {
  const [x, y] = [light(a), light(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const seen = new Set();
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const element = node.parentElement;
  if (!node.textContent.trim() || seen.has(element) || !isShown(element) || element.closest('script,style,option')) continue;
  seen.add(element);
  if (element.matches(':disabled')) continue;
  const style = getComputedStyle(element);
  const size = parseFloat(style.fontSize);
  const wanted = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
  const back = behind(element);
  const front = element.closest('svg') && style.fill !== 'none' ? style.fill : style.color;
  const has = ratio(over(channels(front), back), back);
  if (has < wanted) find('contrast', element, `${has.toFixed(2)} of ${wanted}`);
}

// 2.5.8: what is pressed is at least 24 pixels high and wide, unless it stands in a line of text or has room around it.
const targets = all('a[href],button,summary,input:not([type=hidden]),select,textarea').filter(isShown);
const boxes = targets.map((element) => element.getBoundingClientRect());
targets.forEach((element, place) => {
  const box = boxes[place];
  const inLine = getComputedStyle(element).display === 'inline' && element.matches('a');
  if (inLine || (box.width >= 24 && box.height >= 24) || element.closest('label')) return;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const near = boxes.some((other, at) => {
    if (at === place || targets[at].contains(element) || element.contains(targets[at])) return false;
    const [dx, dy] = [Math.max(other.left - x, 0, x - other.right), Math.max(other.top - y, 0, y - other.bottom)];
    return Math.hypot(dx, dy) < 24;
  });
  if (near) find('target-size', element, `${box.width.toFixed(0)}×${box.height.toFixed(0)}`);
});

// 2.4.7: whoever goes by keyboard sees where they are.
for (const element of targets.filter((e) => !e.disabled && e.tabIndex >= 0)) {
  element.focus({ focusVisible: true, preventScroll: true });
  const style = getComputedStyle(element);
  const isMarked = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
  if (document.activeElement === element && !isMarked) find('focus', element);
}
if (document.activeElement) document.activeElement.blur();

// 2.1.1: what scrolls sideways can be scrolled by keyboard. 1.4.10: the page itself does not.
for (const element of all('body *')) {
  const scrolls = ['auto', 'scroll'].includes(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth + 1;
  if (scrolls && element.tabIndex < 0 && !element.querySelector('a[href],button,input,select,textarea')) find('scrollable', element);
}
const page = document.documentElement;
if (page.scrollWidth > page.clientWidth) find('wide', null, `${page.scrollWidth} of ${page.clientWidth} pixels`);
return findings;
