// What is drawn on the photo, and the panel beside it.

import * as shapes from "./outline.js";
import { $, MODES, READS, app, chosen, course, flat, here, make, readable, spread, view, visible } from "./state.js";
import { COLOURS } from "./view.js";

export function draw() {
  if (!app.photo) return;
  view.paint((c, width, height) => {
    const { scale } = app.photo;
    if (scale && app.grid) view.grid(c, width, height, flat(), scale.px_per_mm);
    if (scale && app.outlines && scale.finger_px) view.dotted(c, scale.finger_px, COLOURS.machine);
    if (scale && app.outlines && scale.place_mm && !visible().length) view.former(c, scale.place_px, scale.px_per_mm);
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

export function drawOutlines(c) {
  (app.photo.others || []).forEach((other, k) => other.ulcers.filter((u) => u.outline_px).forEach((ulcer) => {
    view.outline(c, ulcer.outline_px, COLOURS.others[k % 2], { dash: [6, 4] });
    const end = extreme(ulcer.outline_px, k % 2 ? 1 : -1);
    view.label(c, end, "AB"[k] || String(k + 1), COLOURS.others[k % 2], { below: k % 2 === 1 });
  }));
  for (const ulcer of visible()) {
    const own = ulcer.label === app.label;
    const points = own && app.live ? app.live.points : ulcer.points;
    const values = own && app.live && app.live.values ? app.live.values : ulcer.values;
    const colour = ulcer.read || (own && app.live) ? COLOURS.read : COLOURS.machine;
    view.outline(c, points, colour, { wide: own ? 2 : 1.4 });
    view.diameter(c, values.line_px);
    view.label(c, extreme(points, -1), values.diameter_mm ? `${ulcer.label}: ${values.diameter_mm.toFixed(2)} mm` : String(ulcer.label), colour);
    if (own && readable() && app.photo.can_measure && !app.mode) view.handles(c, points, app.handles, app.handle);
  }
}

// The lowest vertex on the screen, or the highest (-1).
function extreme(points, side) {
  return points.reduce((best, p) => (side * view.toScreen(p)[1] > side * view.toScreen(best)[1] ? p : best));
}

export function cross(c, x, y) {
  c.beginPath();
  for (const [dx, dy] of [[14, 0], [0, 14]]) {
    c.moveTo(x - dx, y - dy);
    c.lineTo(x + dx, y + dy);
  }
  Object.assign(c, { strokeStyle: COLOURS.line, lineWidth: 2 });
  c.stroke();
}

export function refresh() {
  draw();
  panel();
  buttons();
  $("mode").textContent = MODES[app.mode] || "";
  if (app.photo && app.photo.scale) $("photo").dataset.pxPerMm = String(view.scale * app.photo.scale.px_per_mm);
  if (app.photo) course.look(app.photo.scale ? view.scale * app.photo.scale.px_per_mm : null, here());
}

export const number = (value, decimals = 2) => (value === null || value === undefined ? "–" : value.toFixed(decimals));

export function panel() {
  if (!app.photo) return;
  const ulcers = visible();
  const parts = [];
  const verdict = app.state.verdict;
  if (verdict) parts.push(make("p", { className: "by-reader", textContent: `Read: ${verdict}${app.state.why ? ` (${app.state.why})` : ""}` }));
  const own = chosen();
  if (own) parts.push(...sizes(own));
  else if (!verdict) parts.push(make("p", { textContent: app.told.whole || app.photo.status === undefined || app.photo.machine.length ? "No ulcer is outlined." : `The machine: ${app.photo.status}.` }));
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

export function sizes(ulcer) {
  const live = app.live && app.live.label === ulcer.label ? app.live : null;
  const values = live ? live.values || {} : ulcer.values;
  const settled = !app.pending && (live ? live.values && live.done && !app.measuring : values.diameter_mm !== undefined);
  const read = Boolean(ulcer.read || live);
  const by = make("span", { className: read ? "by-reader" : "by-machine", textContent: read ? `${app.told.reader}: ${live ? "edit in hand" : ulcer.verdict}` : "machine, not read yet" });
  const over = { yes: "yes", no: "no", uncertain: "cannot tell from this photo" }[values.over_threshold] || "–";
  const big = make("p", { className: `big${settled ? "" : " pending"}` }, make("span", { id: "diameter", textContent: number(values.diameter_mm) }), make("span", { className: "unit", textContent: " mm" }));
  const rows = [
    ["95 %", `${number(values.diameter_low_mm)} to ${number(values.diameter_high_mm)} mm`],
    [`over ${app.told.threshold_mm} mm`, over],
    ["width", `${number(values.width_mm)} mm`],
    ["area", `${number(values.area_mm2)} mm² (${number(values.area_low_mm2)} to ${number(values.area_high_mm2)})`],
    ["outline", by],
    ...(read ? ofMachine(ulcer.label) : []),
    ...(ulcer.why ? [["reason", ulcer.why]] : []),
    ...(ulcer.ulcer_id ? [["ulcer", ulcer.ulcer_id]] : []),
  ];
  return [big, make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", {}, value)]))];
}

// What the machine measured stays beside what a reader made of it.
function ofMachine(label) {
  const own = app.photo.machine.find((ulcer) => ulcer.label === label);
  if (!own) return [];
  const { diameter_mm: mm, diameter_low_mm: low, diameter_high_mm: high } = own.values;
  return [["machine", make("span", { className: "by-machine", textContent: `${number(mm)} mm (${number(low)} to ${number(high)})` })]];
}

export function buttons() {
  const off = { outlines: app.outlines, grid: app.grid, new: app.mode === "new", free: app.mode === "free", split: app.mode === "split" };
  const turns = (app.photo && app.photo.turns) || { undo: false, redo: false };
  for (const button of document.querySelectorAll("#actions button")) {
    const name = button.dataset.do;
    if (name in off) button.setAttribute("aria-pressed", String(off[name]));
    if (READS.has(name) || name === "accept-next") button.disabled = READS.has(name) && !readable();
    if (name in turns) button.disabled = !readable() || !(turns[name] || app.pending);
  }
}
