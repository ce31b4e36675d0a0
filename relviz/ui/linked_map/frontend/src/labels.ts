// Where class names stand on a map: on the densest spot of their class, each one only where it covers no other.

import type { Labelled } from "./above";
import type { Column } from "./colours";

const SIDE = 24;

/** For each class, the mean place of its rows in its fullest cell; NaN for a class without rows. */
export function labelPlaces(column: Column, uv: Float32Array): Float32Array {
  const classes = column.names.length;
  const codes = column.values as Uint16Array;
  const counts = new Uint32Array(classes * SIDE * SIDE);
  const cellOf = (row: number): number => {
    const x = Math.min(SIDE - 1, Math.max(0, Math.floor(uv[2 * row] * SIDE)));
    return codes[row] * SIDE * SIDE + x + SIDE * Math.min(SIDE - 1, Math.max(0, Math.floor(uv[2 * row + 1] * SIDE)));
  };
  for (let row = 0; row < codes.length; row++) if (codes[row] < classes) counts[cellOf(row)]++;
  const fullest = Uint32Array.from({ length: classes }, (_, code) => {
    const own = counts.subarray(code * SIDE * SIDE, (code + 1) * SIDE * SIDE);
    return code * SIDE * SIDE + own.indexOf(Math.max(...own));
  });
  const places = new Float32Array(2 * classes);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row];
    if (code >= classes || cellOf(row) !== fullest[code]) continue;
    places[2 * code] += uv[2 * row];
    places[2 * code + 1] += uv[2 * row + 1];
  }
  for (let code = 0; code < classes; code++) {
    places[2 * code] /= counts[fullest[code]];
    places[2 * code + 1] /= counts[fullest[code]];
  }
  return places;
}

export interface Label {
  text: string;
  x: number;
  y: number;
  width: number;
}

const HEIGHT = 15;
const SHIFTS = [0, -HEIGHT, HEIGHT, -2 * HEIGHT, 2 * HEIGHT];

/** The labels that fit, in the order given, moved up or down a little where that helps. */
export function placeLabels(labels: Label[], width: number, height: number): Label[] {
  const placed: Label[] = [];
  for (const label of labels) {
    const x = Math.min(width - label.width / 2 - 3, Math.max(label.width / 2 + 3, label.x));
    if (label.x < 0 || label.x > width || label.y < 0 || label.y > height) continue;
    const y = SHIFTS.map((shift) => label.y + shift).find(
      (at) => at > HEIGHT / 2 && at < height - HEIGHT / 2 && !placed.some((other) => overlap({ ...label, x, y: at }, other)),
    );
    if (y !== undefined) placed.push({ ...label, x, y });
  }
  return placed;
}

function overlap(a: Label, b: Label): boolean {
  return Math.abs(a.y - b.y) < HEIGHT && Math.abs(a.x - b.x) < (a.width + b.width) / 2 + 4;
}

/** Names of those classes that are not switched off, and where they stand on every map. */
export function labelsOf(column: Column, classes: number[], hidden: Set<number> | undefined, views: Float32Array[]): Labelled | null {
  const codes = classes.filter((code) => !hidden?.has(code));
  if (!codes.length) return null;
  return { names: column.names, codes, places: views.map((uv) => labelPlaces(column, uv)) };
}
