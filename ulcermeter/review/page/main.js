// The page: one list, one photo, one reading. Every finished edit is sent at once and is safe when its value turns white.

import * as api from "./api.js";
import { Course } from "./course.js";
import { COMMANDS, commandOf, fillSheet } from "./keys.js";
import * as shapes from "./outline.js";
import { COLOURS, View } from "./view.js";

const NUDGE_MM = 0.05;
const REACH_PX = 14;
const KEPT = 8;
const $ = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const app = {
  items: [], shown: [], at: -1, photo: null, state: null, values: {}, label: null, handles: [], handle: -1,
  undo: [], redo: [], mode: "", path: [], drag: null, outlines: true, grid: true, live: null, pending: 0, photos: new Map(), images: new Map(), crops: new Map(),
};
const view = new View($("photo"));
const course = new Course($("course"), async (id) => {
  const data = await kept(app.photos, id, () => api.photo(id));
  const image = await kept(app.crops, id, () => api.image(id, data.scale ? data.scale.crop : undefined));
  return { data, image };
});

// --- what is kept ----------------------------------------------------------------------------------------------------

function kept(map, key, load) {
  if (!map.has(key)) {
    const loading = load();
    loading.catch(() => map.delete(key));
    map.set(key, loading);
    const most = map === app.images ? KEPT : 60;
    while (map.size > most) map.delete(map.keys().next().value);
  }
  return map.get(key);
}

const photoOf = (id) => kept(app.photos, id, () => api.photo(id));
const imageOf = (id) => kept(app.images, id, () => api.image(id));

function say(words) {
  $("message").hidden = !words;
  $("message").textContent = words || "";
}

// --- the list --------------------------------------------------------------------------------------------------------

function fillFilters(told) {
  const subjects = [...new Set(app.items.map((item) => item.subject_id).filter(Boolean))].sort();
  $("filter-subject").replaceChildren(new Option("all", ""), ...subjects.map((one) => new Option(one, one)));
  const used = Object.entries(told.reasons).filter(([name]) => app.items.some((item) => (item.reasons || []).includes(name)));
  const counts = ([name, words]) => new Option(`${words} (${app.items.filter((item) => item.reasons.includes(name)).length})`, name);
  $("filter-reason").replaceChildren(new Option("all", ""), ...used.map(counts));
  for (const id of ["filter-subject", "filter-reason"]) $(id).closest("label").hidden = told.blinded;
  for (const id of ["filter-subject", "filter-reason", "filter-open"]) $(id).addEventListener("change", () => fillList());
}

function fillList() {
  const [subject, reason, open] = [$("filter-subject").value, $("filter-reason").value, $("filter-open").checked];
  app.shown = app.items.filter((item) =>
    (!subject || item.subject_id === subject) && (!reason || item.reasons.includes(reason)) && (!open || !item.done || item === current()));
  $("list").replaceChildren(...app.shown.map((item) => {
    const button = make("button", { type: "button" });
    button.addEventListener("click", () => open_(item));
    item.row = button;
    writeRow(item);
    return make("li", {}, button);
  }));
  progress();
}

function writeRow(item) {
  if (!item.row) return;
  const name = item.subject_id === undefined ? `Photo ${item.number}` : `${item.subject_id} ${item.visit}, ${item.hand} ${item.finger}`;
  item.row.className = item.done ? "done" : "";
  item.row.setAttribute("aria-current", String(item === current()));
  const words = (item.reasons || []).map((one) => app.told.reasons[one]).join(", ");
  const below = item.subject_id === undefined ? "" : [item.date, words || item.status].filter(Boolean).join(" · ");
  item.row.replaceChildren(name, ...(below ? [make("small", { textContent: below })] : []));
  if (item.done) item.row.setAttribute("aria-label", `${name}, read. ${below}`);
}

const current = () => app.items[app.at];

function progress() {
  const done = app.items.filter((item) => item.done).length;
  const shown = app.shown.length === app.items.length ? "" : `, ${app.shown.length} shown`;
  $("progress").textContent = `${app.told.reader}: ${done} of ${app.items.length} read${shown}`;
}

function step(by) {
  const at = app.shown.indexOf(current());
  const next = app.shown[at < 0 ? 0 : at + by];
  if (next) open_(next);
  else $("mode").textContent = by > 0 ? "That was the last photo of the list." : "This is the first photo of the list.";
}

// --- a photo ---------------------------------------------------------------------------------------------------------

async function open_(item) {
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
    Object.assign(app, { photo, undo: [], redo: [], handle: -1, mode: "", path: [], drag: null, live: null });
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

function take(reading, values) {
  app.state = reading || { verdict: "", why: "", ulcers: [] };
  app.values = values || {};
  const ulcers = visible();
  if (!ulcers.some((ulcer) => ulcer.label === app.label)) app.label = ulcers.length ? ulcers[0].label : null;
  spread();
}

// Everything that is shown: what the reader said, and the machine's outlines that nobody has read yet.
function visible() {
  if (app.state.verdict) return [];
  const read = new Map(app.state.ulcers.map((ulcer) => [ulcer.label, ulcer]));
  const machine = app.photo.machine.filter((ulcer) => !read.has(ulcer.label))
    .map((ulcer) => ({ label: ulcer.label, points: ulcer.outline_px, read: false, values: ulcer.values, ulcer_id: ulcer.ulcer_id }));
  const own = app.state.ulcers.filter((ulcer) => ulcer.outline_px).map((ulcer) => {
    const shown = app.photo.machine.find((one) => one.label === ulcer.label);
    return { label: ulcer.label, points: ulcer.outline_px, read: true, verdict: ulcer.verdict,
      values: app.values[ulcer.label] || {}, ulcer_id: ulcer.ulcer_id || (shown ? shown.ulcer_id : "") };
  });
  return [...machine, ...own].sort((a, b) => a.label - b.label);
}

const chosen = () => visible().find((ulcer) => ulcer.label === app.label);

function spread() {
  const ulcer = chosen();
  app.handles = ulcer && app.photo.scale ? shapes.spreadHandles(ulcer.points, app.photo.scale.px_per_mm) : [];
  app.handle = -1;
}

const flat = () => shapes.plane(app.photo.scale.pixel_to_mm, app.photo.scale.px_per_mm);

// --- changing a reading ----------------------------------------------------------------------------------------------

const copy = (value) => JSON.parse(JSON.stringify(value));

function withOutline(label, points, verdict = "edited") {
  const state = copy({ ...app.state, verdict: "" });
  const own = state.ulcers.find((ulcer) => ulcer.label === label);
  if (own) Object.assign(own, { outline_px: points, verdict: own.verdict === "added" ? "added" : verdict });
  else state.ulcers.push({ label, verdict, outline_px: points, ulcer_id: "", why: "" });
  return state;
}

const freeLabel = () => Math.max(0, ...app.photo.machine.map((u) => u.label), ...app.state.ulcers.map((u) => u.label)) + 1;

let sending = Promise.resolve();

function commit(state, action, { why = "", keepHandles = false, history = "new" } = {}) {
  const [item, photo, before] = [current(), app.photo, copy(app.state)];
  if (history === "new") {
    app.undo.push(before);
    app.redo = [];
  }
  // Until the library's new values are there the last ones stay, in grey.
  const last = Object.fromEntries(visible().map((ulcer) => [ulcer.label, ulcer.values]));
  if (app.live && app.live.values) last[app.live.label] = app.live.values;
  app.values = last;
  app.pending += 1;
  app.state = state;
  app.live = null;
  if (!keepHandles) take(state, app.values);
  refresh();
  sending = sending.then(async () => {
    try {
      const said = await api.save(item.id, state, action, why);
      Object.assign(photo, { reading: said.reading, values: said.values });
      const { row } = item;
      Object.assign(item, said.item, { row });
      writeRow(item);
      progress();
      if (app.photo === photo && app.state === state) app.values = said.values;
    } catch (error) {
      say(`Not saved: ${error.message}`);
      if (app.photo === photo && app.state === state) {
        if (history === "new") app.undo.pop();
        take(before, app.values);
      }
    }
    app.pending -= 1;
    document.body.dataset.saved = String(Number(document.body.dataset.saved || 0) + 1);
    if (app.photo === photo) refresh();
  });
  return sending;
}

let measuring = false;
function measureLive() {
  if (measuring || !app.live || app.live.done) return;
  const [photo, live] = [app.photo, app.live];
  measuring = true;
  live.done = true;
  const began = performance.now();
  api.measure(photo.id, live.points).then((values) => {
    if (app.photo === photo && app.live) app.live.values = values;
    document.body.dataset.measureMs = String(Math.round(performance.now() - began));
    say("");
  }, (error) => say(error.message)).finally(() => {
    measuring = false;
    panel();
    draw();
    measureLive();
  });
}

function preview(points) {
  app.live = { label: app.label, points, values: app.live ? app.live.values : null, done: false };
  measureLive();
  draw();
  panel();
}

// --- commands --------------------------------------------------------------------------------------------------------

const commands = {
  accept() {
    if (app.state.verdict) return;
    const state = copy(app.state);
    const read = new Set(state.ulcers.map((ulcer) => ulcer.label));
    const left = app.photo.machine.filter((ulcer) => !read.has(ulcer.label));
    for (const { label } of left) state.ulcers.push({ label, verdict: "accepted", outline_px: app.photo.machine.find((u) => u.label === label).outline_px, ulcer_id: "", why: "" });
    if (!state.ulcers.some((ulcer) => ulcer.outline_px) && !state.ulcers.length) state.verdict = "no ulcer";
    else if (!left.length) return;
    commit(state, "accept");
  },
  "accept-next"() {
    if (readable()) commands.accept();
    step(1);
  },
  async none() {
    const ulcer = chosen();
    if (!ulcer) return void commit({ ...copy(app.state), verdict: "no ulcer" }, "no ulcer");
    const state = copy(app.state);
    state.ulcers = state.ulcers.filter((one) => one.label !== ulcer.label);
    const shown = app.photo.machine.some((one) => one.label === ulcer.label);
    if (shown) state.ulcers.push({ label: ulcer.label, verdict: "no ulcer", outline_px: null, ulcer_id: "", why: "" });
    commit(state, "no ulcer");
  },
  healed: () => commit({ ...copy(app.state), verdict: "healed" }, "healed"),
  covered: () => commit({ ...copy(app.state), verdict: "covered" }, "covered"),
  async cannot() {
    const why = await ask("Cannot be judged", "Why?", { needed: true });
    if (why) commit({ ...copy(app.state), verdict: "cannot be judged", why }, "cannot be judged", { why });
  },
  async identity() {
    const ulcer = chosen();
    if (!ulcer || app.told.blinded) return;
    const name = await ask("Which ulcer is it?", "Its id", { choices: app.photo.identities, value: ulcer.ulcer_id || "" });
    if (!name) return;
    const state = ulcer.read ? copy(app.state) : withOutline(ulcer.label, ulcer.points, "accepted");
    state.ulcers.find((one) => one.label === ulcer.label).ulcer_id = name;
    commit(state, "identity", { why: name });
  },
  withdraw: () => commit({ verdict: "", why: "", ulcers: [] }, "take back"),
  grow: () => rim(NUDGE_MM),
  shrink: () => rim(-NUDGE_MM),
  new: () => mode(app.mode === "new" ? "" : "new"),
  free: () => mode(app.mode === "free" ? "" : "free"),
  split: () => chosen() && mode(app.mode === "split" ? "" : "split"),
  "handle-next": () => chooseHandle(1),
  "handle-before": () => chooseHandle(-1),
  insert() {
    if (app.handle < 0) return;
    const at = app.handles[app.handle];
    app.handles = shapes.insertHandle(chosen().points, app.handles, app.handle);
    app.handle = (app.handles.indexOf(at) + 1) % app.handles.length;
    draw();
  },
  remove() {
    if (app.handle < 0 || app.handles.length < 4) return;
    const points = shapes.removeHandle(chosen().points, app.handles, app.handle);
    app.handles.splice(app.handle, 1);
    app.handle %= app.handles.length;
    commit(withOutline(app.label, points), "edit", { keepHandles: true });
  },
  ulcer() {
    const labels = visible().map((ulcer) => ulcer.label);
    if (!labels.length) return;
    app.label = labels[(labels.indexOf(app.label) + 1) % labels.length];
    spread();
    refresh();
  },
  async merge() {
    const own = chosen();
    const others = visible().filter((ulcer) => ulcer !== own && ulcer.label !== app.label);
    if (!own || !others.length) return say("There is no other ulcer to merge with.");
    const away = (ulcer) => Math.hypot(...[0, 1].map((k) => shapes.middle(ulcer.points)[k] - shapes.middle(own.points)[k]));
    const other = others.sort((a, b) => away(a) - away(b))[0];
    await attempt(async () => {
      const { outlines_px: [joined] } = await api.shape(app.photo.id, { outlines_px: [own.points, other.points] });
      const state = withOutline(own.label, joined);
      state.ulcers = state.ulcers.filter((ulcer) => ulcer.label !== other.label);
      if (app.photo.machine.some((ulcer) => ulcer.label === other.label)) state.ulcers.push({ label: other.label, verdict: "merged", outline_px: null, ulcer_id: "", why: `into ${own.label}` });
      commit(state, "merge", { why: `${other.label} into ${own.label}` });
    });
  },
  undo: () => turn(app.undo, app.redo, "undo"),
  redo: () => turn(app.redo, app.undo, "redo"),
  next: () => step(1),
  before: () => step(-1),
  "zoom-in": () => zoomBy(1.25),
  "zoom-out": () => zoomBy(0.8),
  fit() {
    if (app.photo && app.photo.scale) view.fit(app.photo.scale.place_px, app.photo.scale.half_px);
    refresh();
  },
  outlines() { app.outlines = !app.outlines; refresh(); },
  grid() { app.grid = !app.grid; refresh(); },
  brighter() { view.brightness = Math.min(5, view.brightness * 1.2); refresh(); },
  darker() { view.brightness = Math.max(0.3, view.brightness / 1.2); refresh(); },
  list: toggleList,
  first: () => takeOther(0),
  second: () => takeOther(1),
  help: () => $("keys").showModal(),
  cancel() {
    $("list-pane").classList.remove("open");
    $("toggle-list").setAttribute("aria-expanded", "false");
    if (app.mode) return mode("");
    app.handle = -1;
    $("photo").focus({ preventScroll: true });
    refresh();
  },
};

const READS = new Set(["accept", "none", "healed", "covered", "cannot", "identity", "withdraw", "new", "free", "grow", "shrink", "merge", "split", "insert", "remove", "undo", "redo", "first", "second"]);
const DRAWS = new Set(["new", "free", "grow", "shrink", "merge", "split"]);
const readable = () => app.photo && current() && current().readable;

function run(name) {
  if (!commands[name]) return;
  if (READS.has(name) && !readable()) return say(app.photo ? "This photo was not measured, so nothing is read on it: it is to be taken again." : "");
  if (DRAWS.has(name) && !app.photo.can_measure) return say("Nothing can be measured on this photo.");
  if (app.state && app.state.verdict && DRAWS.has(name) && !["new", "free"].includes(name)) return;
  say("");
  commands[name]();
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(error.message);
  }
}

function rim(mm) {
  const ulcer = chosen();
  if (!ulcer) return;
  commit(withOutline(app.label, shapes.grow(ulcer.points, mm, flat())), "edit", { keepHandles: true });
}

function chooseHandle(by) {
  if (!app.handles.length) return;
  app.handle = app.handle < 0 ? 0 : (app.handle + by + app.handles.length) % app.handles.length;
  $("photo").focus({ preventScroll: true });
  draw();
}

function turn(from, to, action) {
  if (!from.length) return;
  to.push(copy(app.state));
  commit(from.pop(), action, { history: "kept" });
}

function takeOther(k) {
  const other = app.photo.others && app.photo.others[k];
  if (!other) return;
  const ulcers = other.ulcers.filter((u) => u.outline_px).map((u, n) => ({ ...copy(u), label: n + 1, verdict: "added" }));
  const verdict = other.verdict || (ulcers.length ? "" : "no ulcer");
  commit({ verdict, why: other.why, ulcers }, "adjudicate", { why: `as reader ${"AB"[k] || k + 1}` });
}

function zoomBy(factor, at) {
  const { width, height } = view.size();
  view.zoom(factor, at || [width / 2, height / 2]);
  refresh();
}

function toggleList() {
  const pane = $("list-pane");
  const floats = getComputedStyle($("toggle-list")).display !== "none";
  if (floats && pane.classList.toggle("open") === false) return $("photo").focus();
  $("toggle-list").setAttribute("aria-expanded", String(pane.classList.contains("open")));
  if (!floats && pane.contains(document.activeElement)) return $("photo").focus();
  ((current() && current().row) || $("filter-subject")).focus();
}

const MODES = {
  new: "New outline: click in the ulcer, drag a box round it, or Shift and drag along its rim. By key: the cross, arrows, Enter. Esc ends.",
  free: "Freehand: drag along the true rim; a closed loop draws a new ulcer. Esc ends.",
  split: "Split: drag a line across the ulcer. Esc ends.",
};

function mode(name) {
  Object.assign(app, { mode: name, path: [], drag: null });
  if (name) app.handle = -1;
  $("photo").focus({ preventScroll: true });
  refresh();
}

function ask(words, label, { needed = false, choices = [], value = "" } = {}) {
  $("ask-title").textContent = words;
  $("ask-label").textContent = label;
  $("ask-choices").replaceChildren(...choices.map((one) => new Option(one, one)));
  const input = $("ask-text");
  Object.assign(input, { value, required: needed });
  input.setAttribute("list", "ask-choices");
  $("ask").returnValue = "cancel";
  $("ask").showModal();
  return new Promise((done) => {
    $("ask").addEventListener("close", () => done($("ask").returnValue === "ok" ? input.value.trim() : ""), { once: true });
  });
}

// --- the network and what is drawn by hand ---------------------------------------------------------------------------

async function find(prompt) {
  const photo = app.photo;
  $("mode").textContent = "Looking …";
  await attempt(async () => {
    const { outlines_px: found } = await api.find(photo.id, prompt);
    if (app.photo !== photo) return;
    if (!found.length) return say("The network finds no ulcer there: draw it by hand (f).");
    const [points] = found;
    place(points);
    mode("");
  });
  refresh();
}

// An outline that lies on one that is shown takes its place; another is a further ulcer.
function place(points) {
  const middle = shapes.middle(points);
  const same = visible().find((ulcer) => shapes.contains(ulcer.points, middle) || shapes.contains(points, shapes.middle(ulcer.points)));
  const label = same ? same.label : freeLabel();
  app.label = label;
  commit(withOutline(label, points, same ? "edited" : "added"), same ? "redraw" : "add");
}

function finishPath(path, shift) {
  const whole = path.length > 2 ? shapes.perimeter(path) : 0;
  const loop = path.length > 8 && Math.hypot(path[0][0] - path.at(-1)[0], path[0][1] - path.at(-1)[1]) < 0.2 * whole;
  if (app.mode === "split") {
    return void attempt(async () => {
      const own = chosen();
      const { outlines_px: [first, second] } = await api.shape(app.photo.id, { outlines_px: [own.points], line: path });
      const state = withOutline(own.label, first);
      state.ulcers.push({ label: freeLabel(), verdict: "added", outline_px: second, ulcer_id: "", why: "" });
      mode("");
      commit(state, "split");
    });
  }
  if (app.mode === "new" && shift && path.length > 4) return void find({ stroke: path });
  if (app.mode === "new") {
    const xs = path.map((p) => p[0]);
    const ys = path.map((p) => p[1]);
    const [x, y, width, height] = [Math.min(...xs), Math.min(...ys), Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys)];
    const small = Math.max(width, height) * view.scale < 8;
    return void find(small ? { click: path[0] } : { box: [x, y, width, height] });
  }
  if (app.mode !== "free" || path.length < 3) return;
  const own = chosen();
  const close = own && shapes.nearest(own.points, path[0]).distance * view.scale < 60;
  if (own && close && !(loop && shapes.contains(path, shapes.middle(own.points)))) {
    commit(withOutline(own.label, shapes.redraw(own.points, path)), "redraw");
  } else if (loop) place(shapes.resample(path, 1));
  mode("");
}

// --- pointer ---------------------------------------------------------------------------------------------------------

const canvas = $("photo");
const pointers = new Map();
const at = (event) => [event.offsetX, event.offsetY];

canvas.addEventListener("pointerdown", (event) => {
  if (!app.photo) return;
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at(event));
  if (pointers.size === 2) return void (app.drag = { kind: "pinch" });
  const where = at(event);
  if (app.mode && event.button === 0) {
    app.path = [view.toPhoto(where)];
    app.drag = { kind: "path", shift: event.shiftKey };
    return;
  }
  const reach = event.pointerType === "touch" ? 2 * REACH_PX : REACH_PX;
  const ulcer = app.outlines && readable() && app.photo.can_measure ? chosen() : null;
  if (ulcer && event.button === 0) {
    const far = app.handles.map((i) => { const p = view.toScreen(ulcer.points[i]); return Math.hypot(p[0] - where[0], p[1] - where[1]); });
    const k = far.indexOf(Math.min(...far));
    if (k >= 0 && far[k] <= reach) {
      app.handle = k;
      app.drag = { kind: "handle", from: view.toPhoto(where), points: ulcer.points };
      return draw();
    }
  }
  const hit = visible().find((one) => one.label !== app.label && shapes.contains(one.points, view.toPhoto(where)));
  if (hit) {
    app.label = hit.label;
    spread();
    return refresh();
  }
  app.drag = { kind: "pan", last: where };
});

canvas.addEventListener("pointermove", (event) => {
  if (!app.drag) return;
  const where = at(event);
  const { kind } = app.drag;
  if (kind === "pinch") return pinch(event.pointerId, where);
  if (kind === "pan") {
    view.pan(where[0] - app.drag.last[0], where[1] - app.drag.last[1]);
    app.drag.last = where;
    return draw();
  }
  const here = view.toPhoto(where);
  if (kind === "handle") return preview(shapes.moveHandle(app.drag.points, app.handles, app.handle, [here[0] - app.drag.from[0], here[1] - app.drag.from[1]]));
  app.path.push(here);
  draw();
});

function pinch(id, where) {
  const before = [...pointers.values()];
  pointers.set(id, where);
  const now = [...pointers.values()];
  if (now.length < 2) return;
  const apart = (two) => Math.hypot(two[0][0] - two[1][0], two[0][1] - two[1][1]) || 1;
  const centre = (two) => [(two[0][0] + two[1][0]) / 2, (two[0][1] + two[1][1]) / 2];
  const [a, b] = [centre(before), centre(now)];
  view.pan(b[0] - a[0], b[1] - a[1]);
  zoomBy(apart(now) / apart(before), b);
}

function lift(event) {
  pointers.delete(event.pointerId);
  const drag = app.drag;
  if (!drag) return;
  app.drag = null;
  if (drag.kind === "handle" && app.live) commit(withOutline(app.label, app.live.points), "edit", { keepHandles: true });
  if (drag.kind === "path") {
    const path = app.path;
    app.path = [];
    finishPath(path, drag.shift || event.shiftKey);
  }
  refresh();
}
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", (event) => {
  pointers.delete(event.pointerId);
  Object.assign(app, { drag: null, live: null, path: [] });
  refresh();
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomBy(Math.exp(-event.deltaY * 0.0015), at(event));
}, { passive: false });

// --- keys ------------------------------------------------------------------------------------------------------------

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const typing = event.target.closest("select, input:not([type=checkbox])");
  if (event.key === "Escape") return run("cancel");
  if (typing) return;
  if (ARROWS[event.key] && app.photo) {
    if ($("list-pane").contains(event.target)) return walkList(event);
    event.preventDefault();
    return arrow(ARROWS[event.key], event.shiftKey ? 5 : 1);
  }
  // A button under the focus keeps its own keys.
  if ((event.key === "Enter" || event.key === " ") && event.target.closest("button, input")) return;
  if (event.key === "Enter" && app.mode === "new") {
    event.preventDefault();
    const { width, height } = view.size();
    return void find({ click: view.toPhoto([width / 2, height / 2]) });
  }
  const name = commandOf(event);
  if (!name) return;
  event.preventDefault();
  run(name);
});

function walkList(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const rows = app.shown.map((item) => item.row);
  const k = rows.indexOf(document.activeElement);
  if (!by || k < 0 || !rows[k + by]) return;
  event.preventDefault();
  rows[k + by].focus();
}

function arrow([dx, dy], times) {
  if (app.handle < 0 || app.mode) {
    view.pan(-40 * dx, -40 * dy);
    return refresh();
  }
  const ulcer = chosen();
  if (!ulcer || !readable()) return;
  const here = ulcer.points[app.handles[app.handle]];
  const [c, s] = [Math.cos(-view.angle), Math.sin(-view.angle)];
  const unit = [c * dx - s * dy, s * dx + c * dy];
  const plane = flat();
  const [p, q] = [plane.toMm(here), plane.toMm([here[0] + unit[0], here[1] + unit[1]])];
  const mmPerPx = Math.hypot(q[0] - p[0], q[1] - p[1]);
  const move = unit.map((value) => (value * times * NUDGE_MM) / mmPerPx);
  commit(withOutline(app.label, shapes.moveHandle(ulcer.points, app.handles, app.handle, move)), "edit", { keepHandles: true });
}

// --- drawing ---------------------------------------------------------------------------------------------------------

function draw() {
  if (!app.photo) return;
  view.paint((c, width, height) => {
    const { scale } = app.photo;
    if (scale && app.grid) view.grid(c, width, height, flat(), scale.px_per_mm);
    if (app.outlines) drawOutlines(c);
    if (app.path.length > 1) {
      view.trace(c, app.path, false);
      Object.assign(c, { strokeStyle: COLOURS.line, lineWidth: 2 });
      c.stroke();
    }
    if (app.mode === "new") cross(c, width / 2, height / 2);
    if (scale) view.scaleBar(c, height, scale.px_per_mm);
  });
}

function drawOutlines(c) {
  (app.photo.others || []).forEach((other, k) => other.ulcers.filter((u) => u.outline_px).forEach((ulcer) => {
    view.outline(c, ulcer.outline_px, COLOURS.others[k % 2], { dash: [6, 4] });
    view.label(c, ulcer.outline_px[0], "AB"[k] || String(k + 1), COLOURS.others[k % 2]);
  }));
  for (const ulcer of visible()) {
    const own = ulcer.label === app.label;
    const points = own && app.live ? app.live.points : ulcer.points;
    const values = own && app.live && app.live.values ? app.live.values : ulcer.values;
    const colour = ulcer.read || (own && app.live) ? COLOURS.read : COLOURS.machine;
    view.outline(c, points, colour, { wide: own ? 2 : 1.4 });
    view.diameter(c, values.line_px);
    const top = points.reduce((best, p) => (view.toScreen(p)[1] < view.toScreen(best)[1] ? p : best));
    view.label(c, top, values.diameter_mm ? `${ulcer.label}: ${values.diameter_mm.toFixed(2)} mm` : String(ulcer.label), colour);
    if (own && readable() && app.photo.can_measure && !app.mode) view.handles(c, points, app.handles, app.handle);
  }
}

function cross(c, x, y) {
  c.beginPath();
  for (const [dx, dy] of [[14, 0], [0, 14]]) {
    c.moveTo(x - dx, y - dy);
    c.lineTo(x + dx, y + dy);
  }
  Object.assign(c, { strokeStyle: COLOURS.line, lineWidth: 2 });
  c.stroke();
}

function refresh() {
  draw();
  panel();
  buttons();
  $("mode").textContent = MODES[app.mode] || "";
  if (app.photo && app.photo.scale) $("photo").dataset.pxPerMm = String(view.scale * app.photo.scale.px_per_mm);
  if (app.photo && app.photo.scale) course.draw(view.scale * app.photo.scale.px_per_mm, (chosen() || {}).ulcer_id);
}

// --- panels ----------------------------------------------------------------------------------------------------------

const number = (value, decimals = 2) => (value === null || value === undefined ? "–" : value.toFixed(decimals));

function panel() {
  if (!app.photo) return;
  const ulcers = visible();
  const parts = [];
  const verdict = app.state.verdict;
  if (verdict) parts.push(make("p", { className: "by-reader", textContent: `Read: ${verdict}${app.state.why ? ` (${app.state.why})` : ""}` }));
  const own = chosen();
  if (own) parts.push(...sizes(own));
  else if (!verdict) parts.push(make("p", { textContent: app.photo.status === undefined || app.photo.machine.length ? "No ulcer is outlined." : `The machine: ${app.photo.status}.` }));
  if (ulcers.length > 1) {
    const choice = ulcers.map((ulcer) => {
      const button = make("button", { type: "button", textContent: String(ulcer.label) });
      button.setAttribute("aria-pressed", String(ulcer.label === app.label));
      button.setAttribute("aria-label", `Ulcer ${ulcer.label}`);
      button.addEventListener("click", () => { app.label = ulcer.label; spread(); refresh(); });
      return button;
    });
    parts.push(make("div", { className: "ulcers" }, ...choice));
  }
  if (app.photo.instruction) parts.push(make("p", { className: "advice", textContent: `${app.photo.reason}` }));
  $("values").replaceChildren(...parts);
  $("others").replaceChildren(...(app.photo.others || []).map((other, k) => make("p", { textContent: `Reader ${"AB"[k] || k + 1} (key ${k + 1}): ${other.verdict || `${other.ulcers.filter((u) => u.outline_px).length} outlined`}` })));
}

function sizes(ulcer) {
  const live = app.live && app.live.label === ulcer.label ? app.live : null;
  const values = live ? live.values || {} : ulcer.values;
  const settled = !app.pending && (live ? live.values && live.done && !measuring : values.diameter_mm !== undefined);
  const by = ulcer.read || live ? `${app.told.reader}: ${live ? "edit in hand" : ulcer.verdict}` : "the machine, not read yet";
  const over = { yes: "yes", no: "no", uncertain: "cannot tell from this photo" }[values.over_threshold] || "–";
  const big = make("p", { className: `big${settled ? "" : " pending"}` }, make("span", { id: "diameter", textContent: number(values.diameter_mm) }), make("span", { className: "unit", textContent: " mm" }));
  const rows = [
    ["95 %", `${number(values.diameter_low_mm)} to ${number(values.diameter_high_mm)} mm`],
    [`over ${app.told.threshold_mm} mm`, over],
    ["width", `${number(values.width_mm)} mm`],
    ["area", `${number(values.area_mm2)} mm² (${number(values.area_low_mm2)} to ${number(values.area_high_mm2)})`],
    ["outline", by],
    ...(ulcer.ulcer_id ? [["ulcer", ulcer.ulcer_id]] : []),
  ];
  return [big, make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]))];
}

function buttons() {
  const off = { outlines: app.outlines, grid: app.grid, new: app.mode === "new", free: app.mode === "free", split: app.mode === "split" };
  for (const button of document.querySelectorAll("#actions button")) {
    const name = button.dataset.do;
    if (name in off) button.setAttribute("aria-pressed", String(off[name]));
    if (READS.has(name) || name === "accept-next") button.disabled = READS.has(name) && !readable();
    if (name === "undo") button.disabled = !app.undo.length;
    if (name === "redo") button.disabled = !app.redo.length;
  }
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

// --- begin -----------------------------------------------------------------------------------------------------------

async function begin() {
  fillSheet($("keys").querySelector("table"));
  try {
    app.told = await api.list();
  } catch (error) {
    return say(error.message);
  }
  app.items = app.told.items;
  fillFilters(app.told);
  fillActions();
  fillList();
  $("toggle-list").addEventListener("click", toggleList);
  $("show-keys").addEventListener("click", () => run("help"));
  new ResizeObserver(() => refresh()).observe($("stage"));
  const head = document.querySelector("header");
  new ResizeObserver(() => document.documentElement.style.setProperty("--head", `${head.offsetHeight}px`)).observe(head);
  const first = app.items.find((item) => !item.done && item.readable) || app.items[0];
  if (first) await open_(first);
  else $("title").textContent = app.told.adjudicating ? "No readers disagree" : "Nothing to read";
  document.body.dataset.ready = "yes";
}

begin();
