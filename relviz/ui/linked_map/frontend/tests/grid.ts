import assert from "node:assert/strict";
import { test } from "node:test";
import { beside, buildGrid, inside, nearest, within } from "../src/grid";

const rows = 5000;
let seed = 1;
const draw = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
const uv = Float32Array.from({ length: 2 * rows }, draw);
const grid = buildGrid(uv);
const all = Array.from({ length: rows }, (_, row) => row);
const any = (): boolean => true;

test("the nearest row is the one that a search through all rows finds", () => {
  for (const stretch of [[1, 1], [900, 200]] as [number, number][]) {
    for (let time = 0; time < 50; time++) {
      const [u, v] = [draw(), draw()];
      const far = (row: number): number => Math.hypot((uv[2 * row] - u) * stretch[0], (uv[2 * row + 1] - v) * stretch[1]);
      const best = all.reduce((a, b) => (far(b) < far(a) ? b : a));
      assert.equal(nearest(grid, [u, v], stretch, Infinity, any).row, best);
      assert.equal(nearest(grid, [u, v], stretch, far(best) / 2, any).row, -1);
      assert.notEqual(nearest(grid, [u, v], stretch, Infinity, (row) => row !== best).row, best);
    }
  }
});

test("inside a polygon are the rows that the even-odd rule puts there, whatever its way round", () => {
  const polygon = [0.1, 0.1, 0.9, 0.3, 0.4, 0.5, 0.8, 0.95, 0.2, 0.7];
  const expected = all.filter((row) => within(polygon, uv[2 * row], uv[2 * row + 1]));
  assert.ok(expected.length > 500 && expected.length < rows / 2);
  const found = inside(grid, polygon, any).sort((a, b) => a - b);
  assert.deepEqual(found, expected);
  assert.deepEqual(inside(grid, polygon, (row) => row % 2 === 0).length, expected.filter((row) => row % 2 === 0).length);
});

test("beside a row, in a direction, is a row in that direction", () => {
  for (const direction of [[1, 0], [-1, 0], [0, 1], [0, -1]] as [number, number][]) {
    const from = nearest(grid, [0.5, 0.5], [1, 1], Infinity, any).row;
    const to = beside(grid, from, direction, [1, 1], any);
    const along = (uv[2 * to] - uv[2 * from]) * direction[0] + (uv[2 * to + 1] - uv[2 * from + 1]) * direction[1];
    assert.ok(along > 0 && along < 0.1);
  }
});
