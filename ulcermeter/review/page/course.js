// The same finger at other visits, at the photo's own mm scale and with the finger pointing the same way.

import { middle } from "./outline.js";
import { COLOURS, View } from "./view.js";

const heading = (scale) => (scale && scale.up_px ? Math.atan2(scale.up_px[1], scale.up_px[0]) : null);

export class Course {
  constructor(element, load) {
    Object.assign(this, { element, load, tiles: [], of: "" });
  }

  // Takes its room at once, so that the photo above is laid out only once.
  lay(photo) {
    this.of = photo.id;
    this.tiles = [];
    const ids = photo.course && photo.course.length > 1 ? photo.course : [];
    this.waiting = ids.map((id) => this.tile(id, photo));
    this.element.replaceChildren(...this.waiting.map((tile) => tile.figure));
    const own = this.element.querySelector(".own");
    if (own) this.element.scrollLeft = own.offsetLeft - (this.element.clientWidth - own.offsetWidth) / 2;
  }

  async show(photo) {
    for (const tile of this.waiting) {
      if (this.of !== photo.id) return;
      await this.fill(tile, photo).catch(() => tile.figure.remove());
    }
  }

  tile(id, photo) {
    const figure = document.createElement("figure");
    const canvas = document.createElement("canvas");
    const caption = document.createElement("figcaption");
    figure.className = id === photo.id ? "own" : "";
    figure.append(canvas, caption);
    return { id, figure, canvas, caption, view: new View(canvas) };
  }

  async fill(tile, photo) {
    const { data, image } = await this.load(tile.id);
    Object.assign(tile, { data });
    tile.view.image = image;
    tile.view.origin = data.scale ? data.scale.crop : [0, 0];
    const own = heading(data.scale);
    const wanted = heading(photo.scale);
    tile.angle = own === null || wanted === null ? 0 : wanted - own;
    tile.canvas.setAttribute("role", "img");
    this.tiles.push(tile);
    this.draw(this.pxPerMm || 20, this.identity);
  }

  // Each tile looks at the ulcer that is chosen above, as far as the run knows which that is.
  draw(pxPerMm, identity) {
    Object.assign(this, { pxPerMm, identity });
    for (const { view, data, angle, canvas, caption } of this.tiles) {
      const words = `${data.date}: ${inWords(data)}`;
      caption.replaceChildren(Object.assign(document.createElement("b"), { textContent: `${data.visit} ` }), words);
      canvas.setAttribute("aria-label", `${data.visit} ${words}`);
      if (!data.scale) continue;
      const ulcers = shown(data);
      const same = ulcers.find((ulcer) => identity && ulcer.ulcer_id === identity);
      view.look(same ? middle(same.points) : data.scale.place_px, pxPerMm / data.scale.px_per_mm, angle);
      view.paint((c, width, height) => {
        for (const { points, read, line } of ulcers) {
          view.outline(c, points, read ? COLOURS.read : COLOURS.machine);
          view.diameter(c, line);
        }
        view.scaleBar(c, height, data.scale.px_per_mm);
      });
    }
  }
}

function shown(data) {
  const read = data.reading ? data.reading.ulcers : [];
  const labels = new Set(read.map((ulcer) => ulcer.label));
  const verdict = data.reading ? data.reading.verdict : "";
  const machine = verdict ? [] : data.machine.filter((ulcer) => !labels.has(ulcer.label));
  return [
    ...machine.map((ulcer) => ({ points: ulcer.outline_px, read: false, line: ulcer.values.line_px, values: ulcer.values, ulcer_id: ulcer.ulcer_id })),
    ...read.filter((ulcer) => ulcer.outline_px && !verdict).map((ulcer) => {
      const values = data.values[ulcer.label] || {};
      const same = data.machine.find((one) => one.label === ulcer.label);
      return { points: ulcer.outline_px, read: true, line: values.line_px, values, ulcer_id: ulcer.ulcer_id || (same ? same.ulcer_id : "") };
    }),
  ];
}

function inWords(data) {
  if (data.reading && data.reading.verdict) return data.reading.verdict;
  const sizes = shown(data).map(({ values }) => (values.diameter_mm ? `${values.diameter_mm.toFixed(2)} mm` : ""));
  return sizes.filter(Boolean).join(", ") || data.status;
}
