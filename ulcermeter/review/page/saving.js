// A reading is changed here alone: each finished edit is sent at once; an edit in hand is only measured.

import * as api from "./api.js";
import { progress, writeRow } from "./list.js";
import { draw, panel, refresh } from "./show.js";
import { app, copy, current, say, take, visible } from "./state.js";

let sending = Promise.resolve();
export function commit(state, action, { why = "", keepHandles = false, history = "new" } = {}) {
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

export function measureLive() {
  if (app.measuring || !app.live || app.live.done) return;
  const [photo, live] = [app.photo, app.live];
  app.measuring = true;
  live.done = true;
  const began = performance.now();
  api.measure(photo.id, live.points).then((values) => {
    if (app.photo === photo && app.live) app.live.values = values;
    document.body.dataset.measureMs = String(Math.round(performance.now() - began));
    say("");
  }, (error) => say(error.message)).finally(() => {
    app.measuring = false;
    panel();
    draw();
    measureLive();
  });
}

export function preview(points) {
  app.live = { label: app.label, points, values: app.live ? app.live.values : null, done: false };
  measureLive();
  draw();
  panel();
}
