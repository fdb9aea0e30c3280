// The same place of the finger at other visits, at the photo's own mm scale and with the finger pointing the same way.

import { middle } from "./outline.js";
import { COLOURS, View } from "./view.js";

const AROUND_MM = 10;
const KEPT_WITHIN_MM = 3;
const PX_PER_MM = 20; // beside a photo without a scale of its own
const heading = (scale) => (scale && scale.up_px ? Math.atan2(scale.up_px[1], scale.up_px[0]) : null);
const apart = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);

export class Course {
  // `ask` has three questions: photo(id), place(id, [s, t]) and picture(id, crop).
  constructor(element, ask) {
    Object.assign(this, { element, ask, tiles: [], of: "", here: { identity: "", mm: null }, pxPerMm: PX_PER_MM });
  }

  // Takes its room at once, so that the photo above is laid out only once.
  lay(photo) {
    this.of = photo.id;
    this.heading = heading(photo.scale);
    const ids = photo.course && photo.course.length > 1 ? photo.course : [];
    this.tiles = ids.map((id) => tileOf(id, photo.id));
    this.element.replaceChildren(...this.tiles.map((tile) => tile.figure));
    const own = this.element.querySelector(".own");
    if (own) this.element.scrollLeft = own.offsetLeft - (this.element.clientWidth - own.offsetWidth) / 2;
  }

  async show(photo) {
    for (const tile of this.tiles) {
      if (this.of !== photo.id) return;
      await this.fill(tile).catch(() => tile.figure.remove());
    }
    if (this.of === photo.id) this.element.dataset.shown = photo.id;
  }

  async fill(tile) {
    tile.data = await this.ask.photo(tile.id);
    const own = heading(tile.data.scale);
    tile.angle = own === null || this.heading === null ? 0 : this.heading - own;
    await this.find(tile);
  }

  // Where the chosen ulcer is there; where the run knows none of its name, its place in the finger's coordinates.
  async find(tile) {
    const [{ data }, { here }] = [tile, this];
    const { identity, mm } = here;
    const same = shown(data).find((ulcer) => identity && ulcer.ulcer_id === identity);
    const samePlace = !same && mm && data.scale ? (await this.ask.place(tile.id, mm)).px : null;
    if (this.here !== here) return; // another ulcer was chosen meanwhile
    tile.at = same ? middle(same.points) : samePlace || (data.scale ? data.scale.place_px : null);
    if (!tile.at) tile.view.image = await this.ask.picture(tile.id);
    else if (!tile.centre || apart(tile.centre, tile.at) > KEPT_WITHIN_MM * data.scale.px_per_mm) {
      tile.centre = tile.at;
      const crop = around(tile.at, AROUND_MM * data.scale.px_per_mm, data.scale.shape);
      tile.view.image = await this.ask.picture(tile.id, crop);
      tile.view.origin = crop;
    }
    this.draw(tile);
  }

  look(pxPerMm, here) {
    const moved = here.identity !== this.here.identity || String(here.mm) !== String(this.here.mm);
    this.pxPerMm = pxPerMm || PX_PER_MM;
    if (moved) this.here = here;
    if (moved) for (const tile of this.tiles.filter(({ data }) => data)) this.find(tile).catch(() => {});
    // Once a frame, however many edits came: the tiles take longer than the photo.
    this.due = this.due || requestAnimationFrame(() => {
      this.due = 0;
      for (const tile of this.tiles.filter(({ data }) => data)) this.draw(tile);
    });
  }

  draw({ view, data, at, angle, canvas, caption }) {
    const words = `${data.date}: ${inWords(data)}`;
    caption.replaceChildren(Object.assign(document.createElement("b"), { textContent: `${data.visit} ` }), words);
    canvas.setAttribute("aria-label", `${data.visit} ${words}`);
    if (!at) return whole(view);
    view.look(at, this.pxPerMm / data.scale.px_per_mm, angle);
    canvas.dataset.at = JSON.stringify(at);
    canvas.dataset.pxPerMm = String(view.scale * data.scale.px_per_mm);
    view.paint((c, width, height) => {
      for (const { points, read, line } of shown(data)) {
        view.outline(c, points, read ? COLOURS.read : COLOURS.machine);
        view.diameter(c, line);
      }
      view.scaleBar(c, height, data.scale.px_per_mm, { small: true });
    });
  }
}

function tileOf(id, own) {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption");
  figure.className = id === own ? "own" : "";
  canvas.setAttribute("role", "img");
  figure.append(canvas, caption);
  return { id, figure, canvas, caption, view: new View(canvas) };
}

function whole(view) {
  if (!view.image) return;
  const { width, height } = view.image;
  view.fit([width / 2, height / 2], Math.max(width, height) / 2);
  view.paint(() => {});
}

function around([x, y], half, [rows, cols]) {
  const [left, top] = [Math.max(0, Math.floor(x - half)), Math.max(0, Math.floor(y - half))];
  return [left, top, Math.min(cols, Math.ceil(x + half)) - left, Math.min(rows, Math.ceil(y + half)) - top];
}

function shown(data) {
  const read = data.reading ? data.reading.ulcers : [];
  const labels = new Set(read.map((ulcer) => ulcer.label));
  const verdict = data.reading ? data.reading.verdict : "";
  const machine = verdict ? [] : data.machine.filter((ulcer) => !labels.has(ulcer.label));
  const ulcers = [
    ...machine.map((ulcer) => ({ label: ulcer.label, points: ulcer.outline_px, read: false, line: ulcer.values.line_px, values: ulcer.values, ulcer_id: ulcer.ulcer_id })),
    ...read.filter((ulcer) => ulcer.outline_px && !verdict).map((ulcer) => {
      const values = data.values[ulcer.label] || {};
      const same = data.machine.find((one) => one.label === ulcer.label);
      return { label: ulcer.label, points: ulcer.outline_px, read: true, line: values.line_px, values, ulcer_id: ulcer.ulcer_id || (same ? same.ulcer_id : "") };
    }),
  ];
  return ulcers.sort((a, b) => a.label - b.label);
}

function inWords(data) {
  if (data.reading && data.reading.verdict) return `${data.reading.verdict}, read`;
  const ulcers = shown(data).filter(({ values }) => values.diameter_mm);
  const words = ({ label, values, read }) => `${ulcers.length > 1 ? `${label}:\u00a0` : ""}${values.diameter_mm.toFixed(2)}\u00a0mm${read ? ", read" : ""}`;
  return ulcers.map(words).join("; ") || data.status;
}
