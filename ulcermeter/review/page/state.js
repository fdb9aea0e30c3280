// What is shown and read, in one place; nothing here draws or sends.

import * as api from "./api.js";
import { Course } from "./course.js";
import * as shapes from "./outline.js";
import { View } from "./view.js";

export const NUDGE_MM = 0.05;
export const REACH_PX = 14;
export const KEPT = 8;
export const $ = (id) => document.getElementById(id);
export const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

export const app = {
  items: [], shown: [], at: -1, photo: null, state: null, values: {}, label: null, handles: [], handle: -1,
  mode: "", path: [], drag: null, outlines: true, grid: true, live: null, pending: 0, measuring: false, photos: new Map(), images: new Map(), crops: new Map(), places: new Map(),
};
export const view = new View($("photo"));
export const course = new Course($("course"), {
  photo: (id) => photoOf(id),
  place: (id, mm) => kept(app.places, `${id} ${mm}`, () => api.place(id, mm)),
  picture: (id, crop) => kept(app.crops, `${id} ${crop}`, () => api.image(id, crop)),
});

// --- what is kept ----------------------------------------------------------------------------------------------------

export function kept(map, key, load) {
  if (!map.has(key)) {
    const loading = load();
    loading.catch(() => map.delete(key));
    map.set(key, loading);
    const most = map === app.images ? KEPT : 60;
    while (map.size > most) map.delete(map.keys().next().value);
  }
  return map.get(key);
}

export const photoOf = (id) => kept(app.photos, id, () => api.photo(id));
export const imageOf = (id) => kept(app.images, id, () => api.image(id));

export function say(words) {
  $("message").hidden = !words;
  $("message").textContent = words || "";
}

// --- what is on the photo --------------------------------------------------------------------------------------------

export const current = () => app.items[app.at];

export function take(reading, values) {
  app.state = reading || { verdict: "", why: "", ulcers: [] };
  app.values = values || {};
  const ulcers = visible();
  if (!ulcers.some((ulcer) => ulcer.label === app.label)) app.label = ulcers.length ? ulcers[0].label : null;
  spread();
}

// Everything that is shown: what the reader said, and the machine's outlines that nobody has read yet.
export function visible() {
  if (app.state.verdict) return [];
  const read = new Map(app.state.ulcers.map((ulcer) => [ulcer.label, ulcer]));
  const machine = app.photo.machine.filter((ulcer) => !read.has(ulcer.label))
    .map((ulcer) => ({ label: ulcer.label, points: ulcer.outline_px, read: false, values: ulcer.values, ulcer_id: ulcer.ulcer_id }));
  const own = app.state.ulcers.filter((ulcer) => ulcer.outline_px).map((ulcer) => {
    const shown = app.photo.machine.find((one) => one.label === ulcer.label);
    return { label: ulcer.label, points: ulcer.outline_px, read: true, verdict: ulcer.verdict, why: ulcer.why,
      values: app.values[ulcer.label] || {}, ulcer_id: ulcer.ulcer_id || (shown ? shown.ulcer_id : "") };
  });
  return [...machine, ...own].sort((a, b) => a.label - b.label);
}

export const chosen = () => visible().find((ulcer) => ulcer.label === app.label);

export function spread() {
  const ulcer = chosen();
  app.handles = ulcer && app.photo.scale ? shapes.spreadHandles(ulcer.points, app.photo.scale.px_per_mm) : [];
  app.handle = -1;
}

// Where the course looks: at the chosen ulcer, else at the place that the photo itself is shown at.
export function here() {
  const { ulcer_id: identity = "", values = {} } = chosen() || {};
  const own = [values.finger_s_mm, values.finger_t_mm];
  return { identity, mm: own.every(Number.isFinite) ? own : app.photo.scale && app.photo.scale.place_mm };
}

export const flat = () => shapes.plane(app.photo.scale.pixel_to_mm, app.photo.scale.px_per_mm);

export const copy = (value) => JSON.parse(JSON.stringify(value));

export function withOutline(label, points, verdict = "edited") {
  const state = copy({ ...app.state, verdict: "" });
  const own = state.ulcers.find((ulcer) => ulcer.label === label);
  if (own) Object.assign(own, { outline_px: points, verdict: own.verdict === "added" ? "added" : verdict });
  else state.ulcers.push({ label, verdict, outline_px: points, ulcer_id: "", why: "" });
  return state;
}

export const freeLabel = () => Math.max(0, ...app.photo.machine.map((u) => u.label), ...app.state.ulcers.map((u) => u.label)) + 1;

export const READS = new Set(["accept", "none", "healed", "covered", "cannot", "why", "identity", "withdraw", "new", "free", "grow", "shrink", "merge", "split", "insert", "remove", "undo", "redo", "first", "second"]);
export const DRAWS = new Set(["new", "free", "grow", "shrink", "merge", "split"]);
export const readable = () => app.photo && current() && current().readable;

export const MODES = {
  new: "New outline: click in the ulcer, drag a box round it, or Shift and drag along its rim. By key: the cross, arrows, Enter. Esc ends.",
  free: "Freehand: drag along the true rim; a closed loop draws a new ulcer. Esc ends.",
  split: "Split: drag a line across the ulcer. By key: Enter cuts across its width, or from the chosen handle through the middle. Esc ends.",
};
