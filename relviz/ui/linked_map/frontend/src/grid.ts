// Rows by place: a regular grid of cells over the unit square, for finding what is near, beside or inside.

export interface Grid {
  uv: Float32Array;
  side: number;
  starts: Uint32Array; // first entry of each cell in `order`
  order: Uint32Array; // rows, cell by cell
}

export type Wanted = (row: number) => boolean;

export function buildGrid(uv: Float32Array): Grid {
  const rows = uv.length / 2;
  const side = Math.max(1, Math.min(512, Math.round(Math.sqrt(rows / 4))));
  const starts = new Uint32Array(side * side + 1);
  const cells = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    cells[row] = cell(uv[2 * row], side) + side * cell(uv[2 * row + 1], side);
    starts[cells[row] + 1]++;
  }
  for (let at = 0; at < side * side; at++) starts[at + 1] += starts[at];
  const next = starts.slice(0, -1);
  const order = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) order[next[cells[row]]++] = row;
  return { uv, side, starts, order };
}

function cell(value: number, side: number): number {
  return Math.max(0, Math.min(side - 1, Math.floor(value * side)));
}

/** The wanted row nearest to a place, with distances stretched as the screen stretches them; -1 beyond the reach. */
export function nearest(
  grid: Grid,
  [u, v]: [number, number],
  stretch: [number, number],
  reach: number,
  wanted: Wanted,
): { row: number; distance: number } {
  let [best, found] = [reach, -1];
  const pitch = Math.min(...stretch) / grid.side;
  const [i, j] = [cell(u, grid.side), cell(v, grid.side)];
  for (let ring = 0; ring <= grid.side && (ring - 1) * pitch <= best; ring++) {
    for (const at of ringOf(grid.side, i, j, ring)) {
      for (let k = grid.starts[at]; k < grid.starts[at + 1]; k++) {
        const row = grid.order[k];
        const dx = (grid.uv[2 * row] - u) * stretch[0];
        const dy = (grid.uv[2 * row + 1] - v) * stretch[1];
        const distance = Math.hypot(dx, dy);
        if (distance < best && wanted(row)) [best, found] = [distance, row];
      }
    }
  }
  return { row: found, distance: best };
}

function ringOf(side: number, i: number, j: number, ring: number): number[] {
  const found: number[] = [];
  for (let y = Math.max(0, j - ring); y <= Math.min(side - 1, j + ring); y++) {
    const whole = Math.abs(y - j) === ring;
    for (const x of whole ? span(i - ring, i + ring) : ring ? [i - ring, i + ring] : [i]) {
      if (x >= 0 && x < side) found.push(x + side * y);
    }
  }
  return found;
}

function span(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** The wanted row that comes first when one looks from a row in a direction; -1 when there is none. */
export function beside(
  grid: Grid,
  from: number,
  direction: [number, number],
  stretch: [number, number],
  wanted: Wanted,
): number {
  let [best, found] = [Infinity, -1];
  const { uv } = grid;
  for (let row = 0; row < uv.length / 2; row++) {
    const dx = (uv[2 * row] - uv[2 * from]) * stretch[0];
    const dy = (uv[2 * row + 1] - uv[2 * from + 1]) * stretch[1];
    const along = dx * direction[0] + dy * direction[1];
    const across = Math.abs(dx * direction[1] - dy * direction[0]);
    if (along <= 0 || across > along) continue; // not within the quarter that the key points into
    const cost = along + 2 * across;
    if (cost < best && row !== from && wanted(row)) [best, found] = [cost, row];
  }
  return found;
}

/** All wanted rows inside a closed polygon `u, v, u, v, ...` by the even-odd rule. */
export function inside(grid: Grid, polygon: number[], wanted: Wanted): number[] {
  const box = bounds(polygon);
  const found: number[] = [];
  const [left, right] = [cell(box[0], grid.side), cell(box[2], grid.side)];
  for (let y = cell(box[1], grid.side); y <= cell(box[3], grid.side); y++) {
    for (let k = grid.starts[left + grid.side * y]; k < grid.starts[right + grid.side * y + 1]; k++) {
      const row = grid.order[k];
      const [u, v] = [grid.uv[2 * row], grid.uv[2 * row + 1]];
      if (u < box[0] || u > box[2] || v < box[1] || v > box[3]) continue;
      if (wanted(row) && within(polygon, u, v)) found.push(row);
    }
  }
  return found;
}

export function within(polygon: number[], u: number, v: number): boolean {
  let odd = false;
  for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
    const [x, y, lastX, lastY] = [polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]];
    if (y > v !== lastY > v && u < ((lastX - x) * (v - y)) / (lastY - y) + x) odd = !odd;
  }
  return odd;
}

function bounds(polygon: number[]): [number, number, number, number] {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < polygon.length; at += 2) {
    box[0] = Math.min(box[0], polygon[at]);
    box[1] = Math.min(box[1], polygon[at + 1]);
    box[2] = Math.max(box[2], polygon[at]);
    box[3] = Math.max(box[3], polygon[at + 1]);
  }
  return box;
}
