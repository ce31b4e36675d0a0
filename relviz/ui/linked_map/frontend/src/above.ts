// What lies above the points: anchors, class names, lines between A and B, the hovered and the clicked row, the lasso.

import type { Theme } from "./colours";
import { shortened } from "./dom";
import { placeLabels } from "./labels";
import type { Model } from "./model";
import { type Pane, viewOf } from "./pane";
import type { Stage } from "./stage";

const CROWD = 100; // anchors from which they are drawn smaller, and let the samples shine through
const FULL = 0.75; // how strongly a diamond is drawn
const QUIET = 0.55; // and one of a crowd that has a spot to itself
const SPOT = 24; // pixels; diamonds within so many crowd each other
const STEPS = 4; // each time twice as many share a spot, up to this many times, they grow fainter
const LONGEST = 24; // characters of a class's name on the map; the legend and the card tell it whole
const LINES = 500; // lines between the two places of selected rows, at most

export interface Labelled {
  names: string[];
  codes: number[]; // which classes have a name on the map, most wanted first
  places: Float32Array[]; // of each class in each view
}

export function drawAbove(stage: Stage, pane: Pane, model: Model, theme: Theme): void {
  const { pen } = pane;
  const ratio = pane.above.width / pane.size.width;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, pane.size.width, pane.size.height);
  const [text, ground] = [theme.text, theme.ground].map((parts) => `rgb(${parts.join(" ")})`);
  if (stage.anchored) drawAnchors(stage, pane, text, ground);
  if (stage.labels && !stage.moving) drawLabels(stage.labels, pane, text, ground);
  if (pane.layers.length > 1) drawLines(stage, pane, model, text);
  for (const [row, radius] of [[model.clicked, 9], [model.hovered, 7]]) {
    if (row >= 0) for (const layer of pane.layers) ring(pane, pane.project(stage.views, layer, row), radius, text, ground);
  }
  if (pane.path.length) drawPath(pane, text);
}

/** Small diamonds, alike in all maps: an anchor is none of the samples, so it has no colour of theirs. */
function drawAnchors(stage: Stage, pane: Pane, text: string, ground: string): void {
  const { pen } = pane;
  const places = pane.layers.flatMap((layer) => {
    const count = stage.anchors[layer.from].length / 2;
    return Array.from({ length: count }, (_, anchor) => pane.project(stage.anchors, layer, anchor));
  });
  const crowded = stage.anchors[0].length / 2 > CROWD;
  const reach = crowded ? 2.5 : 3.5;
  pen.fillStyle = ground;
  pen.lineWidth = crowded ? 0.8 : 1.1;
  pen.strokeStyle = text;
  for (const [strength, group] of crowded ? byCrowd(places) : [[FULL, places] as const]) {
    pen.globalAlpha = strength;
    pen.beginPath();
    for (const [x, y] of group) diamond(pen, x, y, reach);
    if (!crowded) pen.fill();
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

function diamond(pen: CanvasRenderingContext2D, x: number, y: number, reach: number): void {
  pen.moveTo(x, y - reach);
  pen.lineTo(x + reach, y);
  pen.lineTo(x, y + reach);
  pen.lineTo(x - reach, y);
  pen.closePath();
}

/** Places with how strongly to draw them: the more of them share a spot, the fainter each. */
export function byCrowd(places: [number, number][]): [number, [number, number][]][] {
  const cellOf = ([x, y]: [number, number]): string => `${Math.floor(x / SPOT)} ${Math.floor(y / SPOT)}`;
  const counts = new Map<string, number>();
  for (const place of places) counts.set(cellOf(place), (counts.get(cellOf(place)) ?? 0) + 1);
  const groups = new Map<number, [number, number][]>();
  for (const place of places) {
    const step = Math.min(STEPS, Math.floor(Math.log2(counts.get(cellOf(place)) as number)));
    groups.set(step, groups.get(step) ?? []);
    groups.get(step)?.push(place);
  }
  return [...groups].map(([step, group]) => [QUIET * 0.7 ** step, group]);
}

function drawLabels(labels: Labelled, pane: Pane, text: string, ground: string): void {
  const { pen, size } = pane;
  pen.font = `500 11.5px ${getComputedStyle(pane.root).fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const places = labels.places[viewOf(pane.layers[0])];
  const wanted = labels.codes
    .filter((code) => Number.isFinite(places[2 * code]))
    .map((code) => {
      const scale = pane.camera.zoom;
      const x = size.width * (0.5 + (places[2 * code] - pane.camera.x) * scale);
      const y = size.height * (0.5 - (places[2 * code + 1] - pane.camera.y) * scale);
      const name = shortened(labels.names[code], LONGEST);
      return { text: name, x, y, width: pen.measureText(name).width };
    });
  pen.lineWidth = 3;
  pen.lineJoin = "round";
  pen.strokeStyle = ground;
  pen.fillStyle = text;
  for (const label of placeLabels(wanted, size.width, size.height)) {
    pen.globalAlpha = 0.8;
    pen.strokeText(label.text, label.x, label.y);
    pen.globalAlpha = 1;
    pen.fillText(label.text, label.x, label.y);
  }
}

function drawLines(stage: Stage, pane: Pane, model: Model, text: string): void {
  const rows = model.selectedRows(LINES);
  if (model.hovered >= 0) rows.push(model.hovered);
  pane.pen.beginPath();
  for (const row of rows) {
    const [from, to] = pane.layers.map((layer) => pane.project(stage.views, layer, row));
    pane.pen.moveTo(...from);
    pane.pen.lineTo(...to);
  }
  pane.pen.strokeStyle = text;
  pane.pen.globalAlpha = 0.45;
  pane.pen.lineWidth = 1;
  pane.pen.stroke();
  pane.pen.globalAlpha = 1;
}

function ring(pane: Pane, [x, y]: [number, number], radius: number, text: string, ground: string): void {
  for (const [width, colour] of [[4.5, ground], [2, text]] as const) {
    pane.pen.beginPath();
    pane.pen.arc(x, y, radius, 0, 2 * Math.PI);
    pane.pen.lineWidth = width;
    pane.pen.strokeStyle = colour;
    pane.pen.stroke();
  }
}

function drawPath(pane: Pane, text: string): void {
  const { pen, path } = pane;
  pen.beginPath();
  for (let at = 0; at < path.length; at += 2) pen.lineTo(path[at], path[at + 1]);
  pen.closePath();
  pen.globalAlpha = 0.08;
  pen.fillStyle = text;
  pen.fill();
  pen.globalAlpha = 0.9;
  pen.lineWidth = 1.25;
  pen.setLineDash([4, 3]);
  pen.strokeStyle = text;
  pen.stroke();
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}
