// What pages gain by a script: filters and paging without a reload, live rows, keys. Without it everything works by links and forms.
"use strict";

(() => {
  const part = () => document.getElementById("part");

  // Narrow screens begin with the menu shut; without a script it stays open.
  const menu = document.querySelector("[data-menu]");
  if (menu && window.matchMedia("(max-width: 60rem)").matches) menu.open = false;

  // Takes a page and puts its live parts in place of ours.
  async function show(address, remember, live) {
    const headers = { Accept: "text/html" };
    // What nobody asked for does not keep the session alive.
    if (live) headers["Mezhved-Live"] = "1";
    const response = await fetch(address, { headers, redirect: "manual" });
    if (!response.ok) { location.assign(address); return; }
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const old = document.querySelectorAll("[data-live], [data-tabs], form[data-part]");
    const fresh = page.querySelectorAll("[data-live], [data-tabs], form[data-part]");
    if (old.length !== fresh.length) { location.assign(address); return; }
    const focused = document.activeElement && document.activeElement.name;
    const typing = document.activeElement && document.activeElement.closest("form");
    // What has not changed stays, and with it the place where one reads and the focus.
    old.forEach((node, i) => {
      const written = typing && node.contains(typing) && !remember;
      if (!written && !node.isEqualNode(fresh[i])) node.replaceWith(document.adoptNode(fresh[i]));
    });
    if (remember) history.pushState(null, "", address);
    if (remember && focused) document.querySelector(`form[data-part] [name="${CSS.escape(focused)}"]`)?.focus();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-part]") || form.method !== "get") return;
    event.preventDefault();
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    show(`${new URL(form.action).pathname}?${query}`, true);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest && event.target.closest("form[data-part]");
    if (form && form.method === "get" && part()) form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[data-part]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    show(link.getAttribute("href"), true).then(() => part()?.scrollIntoView({ block: "start" }));
  });
  window.addEventListener("popstate", () => { if (part()) show(location.pathname + location.search, false); });

  // Something happened: the live parts are asked for again, unless somebody is writing in them or the page is out of sight.
  if (document.querySelector("[data-live]") && window.EventSource) {
    const events = new EventSource("/events");
    let missed = false;
    const busy = () => document.querySelector("[data-live] :is(input, textarea, select):focus") !== null;
    const refresh = () => {
      if (document.hidden || busy()) { missed = true; return; }
      missed = false;
      show(location.pathname + location.search, false, true).catch(() => { missed = true; });
    };
    events.addEventListener("change", refresh);
    document.addEventListener("visibilitychange", () => { if (missed) refresh(); });
    window.addEventListener("pagehide", () => events.close());
  }

  // "/" goes to the first filter, Escape shuts an open menu.
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing) {
      const field = document.querySelector("form[data-part] input:not([type=hidden]), form[data-part] select");
      if (field) { event.preventDefault(); field.focus(); }
    }
    if (event.key === "Escape") document.querySelectorAll("details.account[open]").forEach((d) => { d.open = false; });
  });
})();
