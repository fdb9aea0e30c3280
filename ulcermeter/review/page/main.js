// The page: one list, one photo, one reading.

import * as api from "./api.js";
import { run, toggleList } from "./commands.js";
import { COMMANDS, fillSheet } from "./keys.js";
import { fillFilters, fillList, writeRow } from "./list.js";
import "./pointer.js";
import { refresh } from "./show.js";
import { $, app, course, current, imageOf, make, photoOf, say, take, view } from "./state.js";

async function open(item) {
  const before = current();
  app.at = app.items.indexOf(item);
  if (before) writeRow(before);
  writeRow(item);
  if (item.row) item.row.scrollIntoView({ block: "nearest" });
  $("list-pane").classList.remove("open");
  $("toggle-list").setAttribute("aria-expanded", "false");
  say("");
  try {
    const photo = await photoOf(item.id);
    if (current() !== item) return;
    Object.assign(app, { photo, handle: -1, mode: "", path: [], drag: null, live: null });
    take(photo.reading, photo.values);
    view.image = null;
    course.lay(photo);
    if (photo.scale) view.fit(photo.scale.place_px, photo.scale.half_px);
    title(item, photo);
    refresh();
    const image = await imageOf(item.id).catch((error) => say(error.message));
    if (current() !== item) return;
    view.image = image || null;
    if (!photo.scale && image) view.fit([image.width / 2, image.height / 2], Math.max(image.width, image.height) / 2);
    refresh();
    document.body.dataset.shown = item.id;
    course.show(photo).catch(() => {});
    ahead();
  } catch (error) {
    say(error.message);
  }
}

function ahead() {
  const at = app.shown.indexOf(current());
  for (const item of app.shown.slice(at + 1, at + 3)) {
    photoOf(item.id).catch(() => {});
    imageOf(item.id).catch(() => {});
  }
}

function title(item, photo) {
  $("title").textContent = photo.subject_id === undefined
    ? `Photo ${item.number} of ${app.items.length}`
    : `${photo.subject_id} · ${photo.visit} ${photo.date} · ${photo.hand} ${photo.finger} · ${photo.photo}`;
}

function fillActions() {
  for (const [words, rows] of COMMANDS) {
    $("actions").append(make("h2", { textContent: words }));
    for (const [name, keys, long, short] of rows) {
      if (!short || (name === "identity" && app.told.blinded)) continue;
      const button = make("button", { type: "button", title: long, className: name === "accept-next" ? "wide" : "" }, short, make("kbd", { textContent: keys[0].replace("Delete", "Del") }));
      button.dataset.do = name;
      $("actions").append(button);
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (button) run(button.dataset.do);
  });
}

async function begin() {
  fillSheet($("keys").querySelector("table"));
  try {
    app.told = await api.list();
  } catch (error) {
    return say(error.message);
  }
  app.items = app.told.items;
  app.open = open;
  fillFilters(app.told);
  fillActions();
  fillList();
  $("toggle-list").addEventListener("click", toggleList);
  $("show-keys").addEventListener("click", () => run("help"));
  new ResizeObserver(() => refresh()).observe($("stage"));
  const head = document.querySelector("header");
  new ResizeObserver(() => document.documentElement.style.setProperty("--head", `${head.offsetHeight}px`)).observe(head);
  const first = app.items.find((item) => !item.done && item.readable) || app.items[0];
  if (first) await app.open(first);
  else $("title").textContent = app.told.adjudicating ? "No readers disagree" : "Nothing to read";
  document.body.dataset.ready = "yes";
}

begin();
