// The page carries both languages; this decides which of them is shown. It runs before the body is read, so that
// nothing flickers, and works without a build step: it is an example of a page that includes the widget.
(() => {
  "use strict";
  const KEY = "lanting:lang";
  const TITLES = { "zh-CN": "兰汀银行 · 安心存取，从容生活", en: "Lanting Bank · Banking in good order" };
  const root = document.documentElement;

  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };

  const remember = (lang) => {
    try {
      localStorage.setItem(KEY, lang);
    } catch {
      // A private window: the choice holds for this page.
    }
  };

  const tag = (name) => (/^zh/i.test(name || "") ? "zh-CN" : /^en/i.test(name || "") ? "en" : null);

  const first = () =>
    [new URLSearchParams(location.search).get("lang"), remembered(), ...navigator.languages]
      .map(tag)
      .find(Boolean) || "zh-CN";

  const show = (lang) => {
    root.lang = lang;
    document.title = TITLES[lang];
    for (const link of document.querySelectorAll("[data-set-lang]")) {
      if (tag(link.dataset.setLang) === lang) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  const choose = (event) => {
    const link = event.target.closest("[data-set-lang]");
    if (!link) return;
    event.preventDefault();
    const lang = tag(link.dataset.setLang);
    remember(lang);
    history.replaceState(null, "", `?lang=${link.dataset.setLang}${location.hash}`);
    show(lang);
  };

  root.lang = first();
  document.addEventListener("DOMContentLoaded", () => {
    show(root.lang);
    document.addEventListener("click", choose);
  });
})();
