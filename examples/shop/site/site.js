// Which of the page's two languages is shown: the address's, the remembered one, or the browser's. It runs in the head,
// before anything is painted.
(() => {
  "use strict";
  const KEY = "loomwick:lang";
  const TITLES = { "zh-CN": "梭里 · 好料子，慢慢穿", en: "Loomwick · Cloth worth keeping" };
  const page = document.documentElement;
  const code = (name) => ({ zh: "zh-CN", en: "en" })[String(name).slice(0, 2).toLowerCase()];

  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // cookies and storage are switched off
    }
  };

  const store = (lang) => {
    try {
      localStorage.setItem(KEY, lang);
    } catch {
      // It holds until the page is left.
    }
  };

  const mark = () => {
    document.title = TITLES[page.lang];
    for (const link of document.querySelectorAll("[data-lang-link]"))
      link.setAttribute("aria-current", code(link.dataset.langLink) === page.lang);
  };

  const wanted = [new URLSearchParams(location.search).get("lang"), stored(), ...navigator.languages];
  page.lang = wanted.map(code).find(Boolean) ?? "zh-CN";

  addEventListener("DOMContentLoaded", () => {
    mark();
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-lang-link]");
      if (!link) return;
      event.preventDefault();
      page.lang = code(link.dataset.langLink);
      store(page.lang);
      history.replaceState(null, "", `?lang=${link.dataset.langLink}${location.hash}`);
      mark();
    });
  });
})();
