// The photo on its canvas: where it lies, and what is drawn on it. Photo pixels have their centres at whole numbers.

const COLOURS = { machine: "#4fd8ff", read: "#7ee787", others: ["#ff9ecb", "#c9a4ff"], line: "#ffd54a", grid: "#ffffff" };
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

export class View {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    [this.scale, this.x, this.y, this.angle] = [1, 0, 0, 0];
    this.image = null;
    this.origin = [0, 0];
    this.brightness = 1;
  }

  size() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    return { width, height, ratio };
  }

  toScreen([x, y]) {
    const [c, s] = [Math.cos(this.angle) * this.scale, Math.sin(this.angle) * this.scale];
    return [c * x - s * y + this.x, s * x + c * y + this.y];
  }

  toPhoto([x, y]) {
    const [c, s] = [Math.cos(this.angle) / this.scale, Math.sin(this.angle) / this.scale];
    const [dx, dy] = [x - this.x, y - this.y];
    return [c * dx + s * dy, -s * dx + c * dy];
  }

  look(at, scale, angle = 0) {
    const { width, height } = this.size();
    [this.scale, this.angle, this.x, this.y] = [scale, angle, 0, 0];
    const [x, y] = this.toScreen(at);
    [this.x, this.y] = [width / 2 - x, height / 2 - y];
  }

  fit(at, halfPx) {
    const { width, height } = this.size();
    this.look(at, Math.min(width, height) / 2 / halfPx);
  }

  zoom(factor, [x, y]) {
    const next = Math.min(60, Math.max(0.02, this.scale * factor));
    const used = next / this.scale;
    [this.x, this.y, this.scale] = [x + (this.x - x) * used, y + (this.y - y) * used, next];
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
  }

  paint(paint) {
    const { width, height, ratio } = this.size();
    const c = this.context;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.fillStyle = "#000";
    c.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.image) {
      const [cos, sin] = [Math.cos(this.angle) * this.scale * ratio, Math.sin(this.angle) * this.scale * ratio];
      c.setTransform(cos, sin, -sin, cos, this.x * ratio, this.y * ratio);
      c.imageSmoothingEnabled = this.scale * ratio < 4;
      c.filter = this.brightness === 1 ? "none" : `brightness(${this.brightness})`;
      c.drawImage(this.image, this.origin[0] - 0.5, this.origin[1] - 0.5);
      c.filter = "none";
    }
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(c, width, height);
  }

  trace(c, points, closed = true) {
    c.beginPath();
    points.forEach((p, i) => {
      const [x, y] = this.toScreen(p);
      if (i) c.lineTo(x, y);
      else c.moveTo(x, y);
    });
    if (closed) c.closePath();
  }

  outline(c, points, colour, { wide = 1.6, dash = [] } = {}) {
    this.trace(c, points);
    for (const [style, width] of [["#000c", wide + 2], [colour, wide]]) {
      c.setLineDash(style === colour ? dash : []);
      Object.assign(c, { strokeStyle: style, lineWidth: width });
      c.stroke();
    }
    c.setLineDash([]);
  }

  dotted(c, points, colour) {
    this.trace(c, points);
    c.setLineDash([2, 6]);
    Object.assign(c, { strokeStyle: colour, lineWidth: 1.5 });
    c.stroke();
    c.setLineDash([]);
  }

  // A ring of 2 mm where an ulcer was at another visit.
  former(c, at, pxPerMm) {
    const [x, y] = this.toScreen(at);
    c.beginPath();
    c.arc(x, y, pxPerMm * this.scale, 0, 7);
    c.setLineDash([4, 5]);
    Object.assign(c, { strokeStyle: COLOURS.line, lineWidth: 1.5 });
    c.stroke();
    c.setLineDash([]);
  }

  diameter(c, ends) {
    if (!ends || ends.length < 2) return;
    const [a, b] = ends.map((p) => this.toScreen(p));
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
    const [nx, ny] = [(-(b[1] - a[1]) / length) * 6, ((b[0] - a[0]) / length) * 6];
    c.beginPath();
    for (const [p, q] of [[a, b], ...[a, b].map((e) => [[e[0] - nx, e[1] - ny], [e[0] + nx, e[1] + ny]])]) {
      c.moveTo(...p);
      c.lineTo(...q);
    }
    Object.assign(c, { strokeStyle: COLOURS.line, lineWidth: 1.5 });
    c.stroke();
  }

  handles(c, points, handles, chosen) {
    const places = handles.map((i) => this.toScreen(points[i]));
    this.canvas.dataset.handles = JSON.stringify(places);
    const apart = Math.min(...places.map(([x, y], k) => { const [a, b] = places[(k + 1) % places.length]; return Math.hypot(a - x, b - y); }));
    const radius = Math.max(2.5, Math.min(5.5, apart / 3));
    places.forEach(([x, y], k) => {
      c.beginPath();
      c.arc(x, y, k === chosen ? radius + 2.5 : radius, 0, 7);
      Object.assign(c, { fillStyle: k === chosen ? COLOURS.line : "#fff", strokeStyle: "#000", lineWidth: 2 });
      c.fill();
      c.stroke();
    });
  }

  label(c, at, text, colour, { below = false } = {}) {
    const [x, top] = this.toScreen(at);
    const y = below ? top + 28 : top;
    c.font = "600 15px system-ui, sans-serif";
    const wide = c.measureText(text).width;
    c.fillStyle = "#000c";
    c.fillRect(x + 8, y - 24, wide + 10, 22);
    c.fillStyle = colour;
    c.fillText(text, x + 13, y - 8);
  }

  // Lines of the reference's plane, a millimetre apart or so many that they can be told apart.
  grid(c, width, height, plane, pxPerMm) {
    const step = STEPS.find((mm) => mm >= 1 && mm * pxPerMm * this.scale >= 14) || 100;
    const corners = [[0, 0], [width, 0], [width, height], [0, height]].map((p) => plane.toMm(this.toPhoto(p)));
    const low = [0, 1].map((k) => Math.floor(Math.min(...corners.map((p) => p[k])) / step) * step);
    const high = [0, 1].map((k) => Math.ceil(Math.max(...corners.map((p) => p[k])) / step) * step);
    if ((high[0] - low[0]) / step > 400 || (high[1] - low[1]) / step > 400) return;
    c.beginPath();
    for (const k of [0, 1]) {
      for (let at = low[k]; at <= high[k] + 1e-9; at += step) {
        const ends = [low[1 - k], high[1 - k]].map((other) => (k ? [other, at] : [at, other]));
        const [p, q] = ends.map((end) => this.toScreen(plane.toPx(end)));
        c.moveTo(...p);
        c.lineTo(...q);
      }
    }
    Object.assign(c, { strokeStyle: COLOURS.grid, lineWidth: 0.7, globalAlpha: 0.3 });
    c.stroke();
    c.globalAlpha = 1;
  }

  scaleBar(c, height, pxPerMm, { small = false } = {}) {
    const perMm = pxPerMm * this.scale;
    const mm = STEPS.find((one) => one * perMm >= (small ? 24 : 60)) || 100;
    const [x, y, length] = [small ? 6 : 14, height - (small ? 6 : 16), mm * perMm];
    const [thick, font] = small ? [3, 11] : [5, 13];
    c.fillStyle = "#000b";
    c.fillRect(x - 4, y - font - 10, Math.max(length, 3 * font) + 8, font + 15);
    c.fillStyle = "#fff";
    c.fillRect(x, y - thick, length, thick);
    c.font = `${font}px system-ui, sans-serif`;
    c.fillText(`${mm} mm`, x, y - thick - 5);
  }
}

export { COLOURS };
