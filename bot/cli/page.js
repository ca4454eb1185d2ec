"use strict";
// The page is whole without this: it only chooses a language, sorts tables and finds rows in them.
const chinese = () => location.hash === "#zh";
const named = () => { document.documentElement.lang = chinese() ? "zh" : "en"; };
addEventListener("hashchange", named);
if (!location.hash && /^zh/i.test(navigator.language)) location.replace("#zh");
named();

const value = (cell) => {
  const text = cell.textContent.trim();
  const number = parseFloat(text.replace(/,/g, ""));
  return cell.classList.contains("n") ? (Number.isNaN(number) ? -Infinity : number) : text;
};

const sort = (table, head, column) => {
  const body = table.tBodies[0];
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const sign = down ? -1 : 1;
  const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
  rows.sort(([a], [b]) => sign * (typeof a === "number" ? a - b : a.localeCompare(b)));
  body.append(...rows.map(([, row]) => row));
};

for (const table of document.querySelectorAll("table[data-search]")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.textContent) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head, column));
    head.append(button);
  });
  const field = document.createElement("input");
  field.type = "search";
  field.className = "search";
  field.placeholder = field.ariaLabel = table.dataset.search;
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  table.parentElement.before(field);
}
