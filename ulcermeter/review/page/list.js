// The list: filters, lines, progress, and the way from photo to photo.

import { $, app, current, make } from "./state.js";

export function fillFilters(told) {
  const subjects = [...new Set(app.items.map((item) => item.subject_id).filter(Boolean))].sort();
  $("filter-subject").replaceChildren(new Option("all", ""), ...subjects.map((one) => new Option(one, one)));
  const used = Object.entries(told.reasons).filter(([name]) => app.items.some((item) => (item.reasons || []).includes(name)));
  const counts = ([name, words]) => new Option(`${words} (${app.items.filter((item) => item.reasons.includes(name)).length})`, name);
  $("filter-reason").replaceChildren(new Option("all", ""), ...used.map(counts));
  for (const id of ["filter-subject", "filter-reason"]) $(id).closest("label").hidden = told.blinded;
  for (const id of ["filter-subject", "filter-reason", "filter-open"]) $(id).addEventListener("change", () => fillList());
}

export function fillList() {
  const [subject, reason, open] = [$("filter-subject").value, $("filter-reason").value, $("filter-open").checked];
  app.shown = app.items.filter((item) =>
    (!subject || item.subject_id === subject) && (!reason || item.reasons.includes(reason)) && (!open || !item.done || item === current()));
  $("list").replaceChildren(...app.shown.map((item) => {
    const button = make("button", { type: "button" });
    button.addEventListener("click", () => app.open(item));
    item.row = button;
    writeRow(item);
    return make("li", {}, button);
  }));
  progress();
}

export function writeRow(item) {
  if (!item.row) return;
  const name = item.subject_id === undefined ? `Photo ${item.number}` : `${item.subject_id} ${item.visit}, ${item.hand} ${item.finger}`;
  item.row.className = item.done ? "done" : "";
  item.row.setAttribute("aria-current", String(item === current()));
  const words = (item.reasons || []).map((one) => app.told.reasons[one]).join(", ");
  const below = item.subject_id === undefined ? "" : [item.date, words || item.status, item.instruction].filter(Boolean).join(" · ");
  item.row.replaceChildren(name, ...(below ? [make("small", { textContent: below })] : []));
  if (item.done) item.row.setAttribute("aria-label", `${name}, read. ${below}`);
}

export function progress() {
  const done = app.items.filter((item) => item.done).length;
  const shown = app.shown.length === app.items.length ? "" : `, ${app.shown.length} shown`;
  $("progress").textContent = `${app.told.reader}: ${done} of ${app.items.length} read${shown}`;
}

export function step(by) {
  const at = app.shown.indexOf(current());
  const next = app.shown[at < 0 ? 0 : at + by];
  if (next) app.open(next);
  else $("mode").textContent = by > 0 ? "That was the last photo of the list." : "This is the first photo of the list.";
}
