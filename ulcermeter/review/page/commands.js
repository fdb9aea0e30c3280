// What each command does; keys and buttons lead here by its name.

import * as api from "./api.js";
import { step } from "./list.js";
import * as shapes from "./outline.js";
import { commit, turn } from "./saving.js";
import { draw, refresh } from "./show.js";
import {
  $, DRAWS, NUDGE_MM, READS, app, chosen, copy, current, flat, freeLabel, readable, say, spread, view, visible, withOutline,
} from "./state.js";

const commands = {
  accept() {
    if (app.state.verdict) return true;
    // Where nothing was shown there is nothing to accept: a habit of the thumb must not become "no ulcer".
    if (app.told.whole && !app.state.ulcers.length) {
      say("Nothing is drawn: outline the ulcer, or say with x that there is none.");
      return false;
    }
    const state = copy(app.state);
    const read = new Set(state.ulcers.map((ulcer) => ulcer.label));
    const left = app.photo.machine.filter((ulcer) => !read.has(ulcer.label));
    for (const { label } of left) state.ulcers.push({ label, verdict: "accepted", outline_px: app.photo.machine.find((u) => u.label === label).outline_px, ulcer_id: "", why: "" });
    if (!state.ulcers.some((ulcer) => ulcer.outline_px) && !state.ulcers.length) state.verdict = "no ulcer";
    else if (!left.length) return true;
    commit(state, "accept");
    return true;
  },
  "accept-next"() {
    if (!readable() || commands.accept()) step(1);
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
  async why() {
    const [{ verdict }, ulcer] = [app.state, chosen()];
    if (!verdict && !(ulcer && ulcer.read)) return say("Nothing is decided here yet that could have a reason.");
    const why = await ask("Why is it so?", "Reason", { value: (verdict ? app.state.why : ulcer.why) || "" });
    if (!why) return;
    const state = copy(app.state);
    (verdict ? state : state.ulcers.find((one) => one.label === ulcer.label)).why = why;
    commit(state, "reason", { why });
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
  undo: () => turn("undo"),
  redo: () => turn("redo"),
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

export function run(name) {
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

function takeOther(k) {
  const other = app.photo.others && app.photo.others[k];
  if (!other) return;
  const ulcers = other.ulcers.filter((u) => u.outline_px).map((u, n) => ({ ...copy(u), label: n + 1, verdict: "added" }));
  const verdict = other.verdict || (ulcers.length ? "" : "no ulcer");
  commit({ verdict, why: other.why, ulcers }, "adjudicate", { why: `as reader ${"AB"[k] || k + 1}` });
}

export function zoomBy(factor, at) {
  const { width, height } = view.size();
  view.zoom(factor, at || [width / 2, height / 2]);
  refresh();
}

export function toggleList() {
  const pane = $("list-pane");
  const floats = getComputedStyle($("toggle-list")).display !== "none";
  if (floats && pane.classList.toggle("open") === false) return $("photo").focus();
  $("toggle-list").setAttribute("aria-expanded", String(pane.classList.contains("open")));
  if (!floats && pane.contains(document.activeElement)) return $("photo").focus();
  ((current() && current().row) || $("filter-subject")).focus();
}

function mode(name) {
  Object.assign(app, { mode: name, path: [], drag: null });
  if (name && name !== "split") app.handle = -1;
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

// By key: from the chosen handle through the middle, else across the width.
export function cutByKey() {
  const own = chosen();
  const from = shapes.middle(own.points);
  const [a, b] = own.values.line_px || own.points;
  const [dx, dy] = app.handle < 0 ? [a[1] - b[1], b[0] - a[0]] : [0, 1].map((k) => own.points[app.handles[app.handle]][k] - from[k]);
  const far = (3 * shapes.perimeter(own.points)) / (Math.hypot(dx, dy) || 1);
  app.mode = "split";
  finishPath([-1, 1].map((side) => [from[0] + side * far * dx, from[1] + side * far * dy]));
}

// --- the network and what is drawn by hand ---------------------------------------------------------------------------
export async function find(prompt) {
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

export function finishPath(path, shift) {
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
