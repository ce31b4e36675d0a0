import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { encode, pack, unpack } from "../src/bits";
import { HOME, panned, showing, toScreen, toWindow, zoomed } from "../src/camera";
import { byCrowd } from "../src/above";
import { addFocus, colourClasses, colourNumbers, type Column, firstFocus, rgb } from "../src/colours";
import { shortened } from "../src/dom";
import { cell } from "../src/exporting";
import { labelPlaces, placeLabels } from "../src/labels";
import { parse } from "../src/protocol";
import { classesOf, search } from "../src/search";

const size = { width: 600, height: 250 };
const theme = { ground: [255, 255, 255], text: [0, 0, 0], dark: false } as const;
const column = (over: Partial<Column>): Column => ({
  name: "c", kind: "classes", names: [], counts: [], low: 0, high: 1, values: new Uint16Array(), ...over,
});

test("a selection comes back from its bits, and other flags stay", async () => {
  const flags = Uint8Array.from({ length: 1003 }, (_, row) => (row % 3 === 0 ? 1 : 0) | (row % 5 === 0 ? 4 : 0));
  const bits = pack(flags, 1);
  const back = flags.map((flag) => flag & ~1);
  unpack(bits, back, 1);
  assert.deepEqual(back, flags);
  const text = await encode(bits);
  assert.deepEqual(new Uint8Array(inflateSync(Buffer.from(text, "base64"))), bits);
});

test("all of a million rows travel in far less than a bit a row", async () => {
  const text = await encode(pack(new Uint8Array(1_000_000).fill(1), 1));
  assert.ok(text.length * 8 < 0.1 * 1_000_000);
});

test("zooming keeps what is under the pointer, and windows and screens are inverse", () => {
  const near = zoomed(panned(HOME, size, 31, -12), size, 100, 60, 3);
  const before = toWindow(panned(HOME, size, 31, -12), size, 100, 60);
  toWindow(near, size, 100, 60).forEach((value, at) => assert.ok(Math.abs(value - before[at]) < 1e-12));
  const [px, py] = toScreen(near, size, ...toWindow(near, size, 5, 7));
  assert.ok(Math.abs(px - 5) < 1e-9 && Math.abs(py - 7) < 1e-9);
  assert.deepEqual(showing(HOME, 0.9, 0.1), HOME);
  assert.deepEqual(showing({ ...HOME, zoom: 10 }, 0.9, 0.1), { x: 0.9, y: 0.1, zoom: 10 });
});

const many = column({
  names: Array.from({ length: 300 }, (_, code) => `class ${code}`),
  counts: Array.from({ length: 300 }, (_, code) => code),
  values: Uint16Array.from({ length: 300 }, (_, code) => code),
});
const palette = ["#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"];

test("more than twenty classes: the twenty largest have a colour, the others are context", () => {
  const focus = firstFocus(many);
  assert.deepEqual([...focus.keys()], Array.from({ length: 20 }, (_, at) => 299 - at));
  const { slots, css } = colourClasses(many, focus, palette, { ...theme } as never);
  assert.equal(slots.filter((slot) => slot === 0).length, 280);
  assert.equal(new Set([...focus.keys()].map(css)).size, 20);
});

test("any class can have a colour of its own, and keeps it while others come and go", () => {
  const focus = firstFocus(many);
  for (let code = 0; code < 60; code++) addFocus(focus, code);
  assert.equal(focus.size, 80);
  const before = colourClasses(many, focus, palette, { ...theme } as never);
  assert.equal(new Set([...focus.keys()].map(before.css)).size, 80);
  focus.delete(299);
  focus.delete(5);
  addFocus(focus, 70);
  const after = colourClasses(many, focus, palette, { ...theme } as never);
  for (const code of [298, 280, 0, 59]) assert.equal(after.css(code), before.css(code));
  assert.equal(after.css(70), before.css(299));
  for (let code = 0; code < 300; code++) addFocus(focus, code);
  assert.equal(focus.size, 255);
  assert.equal(new Set(focus.values()).size, 255);
});

test("long names are cut in the middle, and only those", () => {
  assert.equal(shortened("x".repeat(24), 24), "x".repeat(24));
  const cut = shortened(`begin${"x".repeat(80)}end`, 24);
  assert.equal(cut.length, 24);
  assert.match(cut, /^beginx+…x+end$/);
  assert.equal(shortened("🙂".repeat(30), 10), `${"🙂".repeat(6)}…${"🙂".repeat(3)}`);
});

test("diamonds are the fainter the more of them share a spot", () => {
  const alone: [number, number][] = [[5, 5], [500, 5]];
  const crowd = Array.from({ length: 40 }, (_, at): [number, number] => [100 + (at % 7), 100 + (at % 5)]);
  const found = byCrowd([...alone, ...crowd]);
  assert.deepEqual(found.map(([, group]) => group.length).sort((a, b) => a - b), [2, 40]);
  const strength = (group: number) => (found.find(([, places]) => places.length === group) as [number, unknown])[0];
  assert.equal(strength(2), 0.55);
  assert.ok(strength(40) < 0.3 && strength(40) > 0.1);
});

test("a class that is looked for is found by a part of its name", () => {
  assert.deepEqual(classesOf(column({ names: ["Boot", "Bag", "Ankle boot"] }), " BOOT "), [0, 2]);
  assert.deepEqual(classesOf(column({ names: ["Boot"] }), " "), []);
});

test("numbers take the scale from end to end, and what is no number is grey", () => {
  const numbers = column({ kind: "numbers", low: 0, high: 2, values: Float32Array.of(0, 2, Number.NaN, 1) });
  const { slots } = colourNumbers(numbers, ["#000000", "#ffffff"], { ...theme } as never);
  assert.deepEqual([...slots], [1, 255, 0, 128]);
  assert.deepEqual(rgb("rgba(1, 2, 3, 0.5)"), [1, 2, 3]);
});

test("search finds an id alone, else classes and texts", () => {
  const where = {
    ids: Uint32Array.of(7, 8, 9),
    columns: [
      column({ names: ["Boot", "Bag"], values: Uint16Array.of(0, 1, 0) }),
      column({ kind: "texts", values: ["a boot", "8 bags", "none"] }),
    ],
  };
  assert.deepEqual(search("8", where), [1]);
  assert.deepEqual(search("boot", where), [0, 2]);
  assert.deepEqual(search("BAGS", where), [1]);
  assert.deepEqual(search(" ", where), []);
});

test("labels stand where their class is densest and never cover each other", () => {
  const uv = Float32Array.of(0.1, 0.1, 0.11, 0.11, 0.9, 0.9, 0.5, 0.5);
  const places = labelPlaces(column({ names: ["a", "b", "none"], values: Uint16Array.of(0, 0, 0, 1) }), uv);
  assert.ok(Math.abs(places[0] - 0.105) < 1e-6 && places[2] === 0.5 && Number.isNaN(places[4]));
  const label = { text: "x", x: 100, y: 100, width: 40 };
  const placed = placeLabels(Array.from({ length: 9 }, () => label), 600, 250);
  assert.equal(placed.length, 5);
  assert.equal(new Set(placed.map(({ y }) => y)).size, 5);
});

test("cells are quoted where needed, and no formula reaches a spreadsheet", () => {
  assert.equal(cell('a "b", c'), '"a ""b"", c"');
  assert.equal(cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
  assert.equal(cell("-0.5"), "-0.5");
});

test("what are no map data are refused", () => {
  assert.throws(() => parse(new ArrayBuffer(16)), /no map data/);
});
