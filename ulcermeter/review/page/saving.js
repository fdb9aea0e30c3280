// A reading is changed here alone: each finished edit is sent at once; an edit in hand is only measured.

import * as api from "./api.js";
import { progress, writeRow } from "./list.js";
import { draw, panel, refresh } from "./show.js";
import { app, copy, current, say, take, visible } from "./state.js";

let sending = Promise.resolve();

// One after the other: each says which entry of the log it follows, so that another window's is not overwritten unread.
function send(ask, { state, before, then }) {
  const [item, photo] = [current(), app.photo];
  app.pending += 1;
  sending = sending.then(async () => {
    try {
      const { item: line, ...saved } = await ask(photo);
      Object.assign(photo, saved);
      Object.assign(item, line, { row: item.row });
      writeRow(item);
      progress();
      if (app.photo === photo && app.state === state) then(saved);
    } catch (error) {
      if (app.photo === photo && app.state === state) take(before, app.values);
      if (error.status === 409) await readAnew(item, photo);
      say(`Not saved: ${error.message}`);
    }
    app.pending -= 1;
    document.body.dataset.saved = String(Number(document.body.dataset.saved || 0) + 1);
    if (app.photo === photo) refresh();
  });
  return sending;
}

async function readAnew(item, photo) {
  app.photos.delete(photo.id);
  if (app.photo === photo) await app.open(item);
}

export function commit(state, action, { why = "", keepHandles = false } = {}) {
  const before = copy(app.state);
  // Until the library's new values are there the last ones stay, in grey.
  const last = Object.fromEntries(visible().map((ulcer) => [ulcer.label, ulcer.values]));
  if (app.live && app.live.values) last[app.live.label] = app.live.values;
  app.values = last;
  app.state = state;
  app.live = null;
  if (!keepHandles) take(state, app.values);
  const sent = send((photo) => api.save(photo.id, { state, action, why, follows: photo.follows }), {
    state, before, then: ({ values }) => { app.values = values; },
  });
  refresh();
  return sent;
}

// Undo and redo: what stood before is in the log, so they outlive a reload.
export function turn(action) {
  const state = app.state;
  app.live = null;
  return send((photo) => (photo.turns[action] ? api.turn(photo.id, { action, follows: photo.follows }) : Promise.reject(new Error(`nothing to ${action}`))), {
    state, before: state, then: ({ reading, values }) => take(reading, values),
  });
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
