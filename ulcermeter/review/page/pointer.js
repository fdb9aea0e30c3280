// Mouse, pen, fingers and keys.

import { cutByKey, find, finishPath, run, zoomBy } from "./commands.js";
import { commandOf } from "./keys.js";
import * as shapes from "./outline.js";
import { commit, preview } from "./saving.js";
import { draw, refresh } from "./show.js";
import { $, NUDGE_MM, REACH_PX, app, chosen, flat, readable, spread, view, visible, withOutline } from "./state.js";

const canvas = $("photo");
const pointers = new Map();
let pen = false; // a pen is down: the hand that rests beside it draws and zooms nothing
const at = (event) => [event.offsetX, event.offsetY];

canvas.addEventListener("pointerdown", (event) => {
  if (!app.photo || (pen && event.pointerType === "touch")) return;
  if (event.pointerType === "pen") {
    pen = true;
    pointers.clear();
  }
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
  if (!app.drag || !pointers.has(event.pointerId)) return;
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
  if (event.pointerType === "pen") pen = false;
  if (!pointers.delete(event.pointerId)) return;
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
  if (event.pointerType === "pen") pen = false;
  if (!pointers.delete(event.pointerId)) return;
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
  if (event.key === "Enter" && app.mode === "split") {
    event.preventDefault();
    return cutByKey();
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
