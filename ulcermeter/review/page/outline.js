// Outlines are closed lists of [x, y] in photo pixels. Every function returns a new list; what it does not touch stays
// bit for bit. Handles are positions in that list.

export function sides(points) {
  return points.map((p, i) => {
    const q = points[(i + 1) % points.length];
    return Math.hypot(q[0] - p[0], q[1] - p[1]);
  });
}

export function perimeter(points) {
  return sides(points).reduce((sum, side) => sum + side, 0);
}

export function signedArea(points) {
  let sum = 0;
  points.forEach((p, i) => {
    const q = points[(i + 1) % points.length];
    sum += p[0] * q[1] - q[0] * p[1];
  });
  return sum / 2;
}

export function middle(points) {
  const sum = points.reduce(([x, y], p) => [x + p[0], y + p[1]], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

export function contains(points, [x, y]) {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [ax, ay] = points[i];
    const [bx, by] = points[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

export function nearest(points, [x, y]) {
  let best = 0;
  let least = Infinity;
  points.forEach((p, i) => {
    const far = Math.hypot(p[0] - x, p[1] - y);
    if (far < least) [best, least] = [i, far];
  });
  return { index: best, distance: least };
}

// As many handles as an eye can follow: one for each 0.8 mm of the rim, 12 to 24.
export function spreadHandles(points, pxPerMm) {
  const whole = perimeter(points);
  const count = Math.min(points.length, Math.max(12, Math.min(24, Math.round(whole / pxPerMm / 0.8))));
  const lengths = sides(points);
  const handles = [];
  let gone = 0;
  for (let i = 0; i < points.length && handles.length < count; i++) {
    if (gone >= (handles.length * whole) / count - 1e-9) handles.push(i);
    gone += lengths[i];
  }
  return handles;
}

function between(points, from, to) {
  const count = points.length;
  const indices = [];
  for (let i = from; ; i = (i + 1) % count) {
    indices.push(i);
    if (i === to) return indices;
  }
}

function shares(points, indices) {
  const along = [0];
  for (let k = 1; k < indices.length; k++) {
    const [p, q] = [points[indices[k - 1]], points[indices[k]]];
    along.push(along[k - 1] + Math.hypot(q[0] - p[0], q[1] - p[1]));
  }
  const whole = along[along.length - 1] || 1;
  return along.map((a) => a / whole);
}

// The handle moves by [dx, dy], the rim with it, less and less towards the handles on either side.
export function moveHandle(points, handles, k, [dx, dy]) {
  const moved = points.map((p) => p);
  const at = handles[k];
  const before = handles[(k - 1 + handles.length) % handles.length];
  const behind = handles[(k + 1) % handles.length];
  const pull = (indices, weights) =>
    indices.forEach((i, n) => {
      const w = 0.5 - 0.5 * Math.cos(Math.PI * weights[n]);
      if (w > 0 && i !== at) moved[i] = [points[i][0] + w * dx, points[i][1] + w * dy];
    });
  const up = between(points, before, at);
  const down = between(points, at, behind);
  pull(up, shares(points, up));
  pull(down, shares(points, down).map((s) => 1 - s));
  moved[at] = [points[at][0] + dx, points[at][1] + dy];
  return moved;
}

// The rim between the handles on either side becomes a smooth arc.
export function removeHandle(points, handles, k) {
  const before = handles[(k - 1 + handles.length) % handles.length];
  const behind = handles[(k + 1) % handles.length];
  const indices = between(points, before, behind);
  const count = points.length;
  const [a, b] = [points[before], points[behind]];
  const along = Math.hypot(b[0] - a[0], b[1] - a[1]);
  const direction = (i, j) => {
    const [p, q] = [points[(i + count) % count], points[(j + count) % count]];
    const length = Math.hypot(q[0] - p[0], q[1] - p[1]) || 1;
    return [((q[0] - p[0]) / length) * along, ((q[1] - p[1]) / length) * along];
  };
  const [u, v] = [direction(before - 3, before), direction(behind, behind + 3)];
  const smooth = points.map((p) => p);
  shares(points, indices).forEach((t, n) => {
    if (n === 0 || n === indices.length - 1) return;
    const [h00, h10, h01, h11] = [2 * t ** 3 - 3 * t ** 2 + 1, t ** 3 - 2 * t ** 2 + t, 3 * t ** 2 - 2 * t ** 3, t ** 3 - t ** 2];
    smooth[indices[n]] = [0, 1].map((c) => h00 * a[c] + h10 * u[c] + h01 * b[c] + h11 * v[c]);
  });
  return smooth;
}

export function insertHandle(points, handles, k) {
  const behind = handles[(k + 1) % handles.length];
  const indices = between(points, handles[k], behind);
  if (indices.length < 3) return handles;
  const along = shares(points, indices);
  let best = 1;
  along.forEach((s, n) => {
    if (n > 0 && n < indices.length - 1 && Math.abs(s - 0.5) < Math.abs(along[best] - 0.5)) best = n;
  });
  return [...handles, indices[best]].sort((a, b) => a - b);
}

// The whole rim outwards by so many mm (inwards where negative), square to itself in the reference's plane.
export function grow(points, mm, plane) {
  const flat = points.map(plane.toMm);
  const turn = Math.sign(signedArea(flat)) || 1;
  return flat
    .map((p, i) => {
      const [before, behind] = [flat[(i - 1 + flat.length) % flat.length], flat[(i + 1) % flat.length]];
      const [dx, dy] = [behind[0] - before[0], behind[1] - before[1]];
      const length = Math.hypot(dx, dy) || 1;
      return [p[0] + (turn * mm * dy) / length, p[1] - (turn * mm * dx) / length];
    })
    .map(plane.toPx);
}

export function resample(path, step) {
  const out = [path[0]];
  for (let k = 1; k < path.length; k++) {
    const [p, q] = [path[k - 1], path[k]];
    const count = Math.max(1, Math.round(Math.hypot(q[0] - p[0], q[1] - p[1]) / step));
    for (let n = 1; n <= count; n++) out.push([p[0] + ((q[0] - p[0]) * n) / count, p[1] + ((q[1] - p[1]) * n) / count]);
  }
  return out;
}

// A stretch drawn by hand takes the place of the shorter part of the rim between its ends.
export function redraw(points, path) {
  const step = Math.max(0.3, perimeter(points) / points.length);
  const drawn = resample(path, step);
  const [from, to] = [nearest(points, path[0]).index, nearest(points, path[path.length - 1]).index];
  if (from === to) return points;
  const ahead = between(points, from, to);
  const back = between(points, to, from);
  const length = (indices) => indices.slice(1).reduce((sum, i, n) => sum + Math.hypot(points[i][0] - points[indices[n]][0], points[i][1] - points[indices[n]][1]), 0);
  const kept = length(ahead) <= length(back) ? back : ahead;
  const line = length(ahead) <= length(back) ? drawn : [...drawn].reverse();
  return [...line, ...kept.slice(1, -1).map((i) => points[i])];
}

export function plane(matrix, pxPerMm) {
  if (!matrix) return { toMm: ([x, y]) => [x / pxPerMm, y / pxPerMm], toPx: ([x, y]) => [x * pxPerMm, y * pxPerMm] };
  const back = inverse(matrix);
  return { toMm: (p) => apply(matrix, p), toPx: (p) => apply(back, p) };
}

function apply(m, [x, y]) {
  const w = m[2][0] * x + m[2][1] * y + m[2][2];
  return [(m[0][0] * x + m[0][1] * y + m[0][2]) / w, (m[1][0] * x + m[1][1] * y + m[1][2]) / w];
}

function inverse(m) {
  const [[a, b, c], [d, e, f], [g, h, i]] = m;
  const rows = [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ];
  const det = a * rows[0][0] + b * rows[1][0] + c * rows[2][0];
  return rows.map((row) => row.map((value) => value / det));
}
