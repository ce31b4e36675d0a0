// Taking the maps away: PNG and SVG of what is seen, CSV of where every row lies.

import { type Known, valueOf } from "./card";
import type { Colouring, Column, Theme } from "./colours";
import type { Model } from "./model";
import type { Pane } from "./pane";
import { lookOf } from "./render";
import type { Stage } from "./stage";

const VECTOR = 20_000; // rows up to which an SVG holds every point as a shape; beyond, the points are one picture

/** What there is to take away. */
interface Seen {
  stage: Stage;
  model: Model;
  known: Known;
  columns: Column[];
  windows: number[][];
  colouring: Colouring;
  theme: Theme;
}

export async function exportMaps(name: string, kind: "png" | "svg" | "csv", seen: Seen): Promise<void> {
  const { stage, model, known, columns, windows, colouring, theme } = seen;
  const colour = (row: number): string => cssColour(colouring.palette, colouring.slots[row]);
  const made = {
    png: () => png(stage, theme),
    svg: () => svg(stage, model, colour, theme),
    csv: () => csv(stage, model, known, columns, windows),
  };
  save(name, await made[kind]());
}

function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function png(stage: Stage, theme: Theme): Promise<Blob> {
  stage.drawPoints();
  const points = stage.root.querySelector("canvas.points") as HTMLCanvasElement;
  const ratio = window.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [points.width, points.height];
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.fillStyle = `rgb(${theme.ground.join(" ")})`;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(points, 0, 0);
  pen.scale(ratio, ratio);
  for (const pane of stage.panes) {
    pen.drawImage(pane.above, pane.place.left, pane.place.top, pane.size.width, pane.size.height);
    pen.fillStyle = `rgb(${theme.text.join(" ")})`;
    pen.font = `12px ${getComputedStyle(pane.root).fontFamily}`;
    pen.fillText(titleOf(pane), pane.place.left, pane.place.top - 6);
    pen.strokeStyle = getComputedStyle(pane.root).getPropertyValue("--hue");
    pen.strokeRect(pane.place.left, pane.place.top, pane.size.width, pane.size.height);
  }
  return new Promise((done) => canvas.toBlob((blob) => done(blob as Blob), "image/png"));
}

function svg(stage: Stage, model: Model, colour: (row: number) => string, theme: Theme): Blob {
  const { width, height } = stage.root.getBoundingClientRect();
  const panes = stage.panes.map((pane) => paneSvg(stage, pane, model, colour, theme));
  const ground = `<rect width="100%" height="100%" fill="rgb(${theme.ground.join(",")})"/>`;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif">`;
  return new Blob([head, ground, ...panes, "</svg>"], { type: "image/svg+xml" });
}

function paneSvg(stage: Stage, pane: Pane, model: Model, colour: (row: number) => string, theme: Theme): string {
  const { left, top } = pane.place;
  const hue = getComputedStyle(pane.root).getPropertyValue("--hue").trim();
  const size = `width="${pane.size.width}" height="${pane.size.height}"`;
  const clip = `<clipPath id="p${pane.number}"><rect ${size}/></clipPath>`;
  const title = `<text y="-6" font-size="12" fill="rgb(${theme.text.join(",")})">${escape(titleOf(pane))}</text>`;
  const inner = model.rows <= VECTOR ? dots(stage, pane, model, colour) : picture(stage, pane);
  const frame = `<rect ${size} fill="none" stroke="${hue}"/>`;
  return `<g transform="translate(${left} ${top})">${clip}${title}<g clip-path="url(#p${pane.number})">${inner}${anchors(stage, pane, theme)}</g>${frame}</g>`;
}

function dots(stage: Stage, pane: Pane, model: Model, colour: (row: number) => string): string {
  const look = lookOf(model.rows, pane.frame());
  const choosing = model.count() > 0;
  const found: string[] = [];
  for (const layer of pane.layers) {
    for (let row = 0; row < model.rows; row++) {
      if (!model.visible(row)) continue;
      const [x, y] = pane.project(stage.views, layer, row);
      const alpha = choosing && !model.isSelected(row) ? 0.15 : look.alpha;
      const paint = layer.ring ? `fill="none" stroke="${colour(row)}"` : `fill="${colour(row)}"`;
      found.push(`<circle cx="${x.toFixed(2)}" cy="${y.toFixed(2)}" r="${(look.size / 2).toFixed(2)}" ${paint} opacity="${alpha.toFixed(2)}"/>`);
    }
  }
  return found.join("");
}

function anchors(stage: Stage, pane: Pane, theme: Theme): string {
  if (!stage.anchored) return "";
  const places = pane.layers.flatMap((layer) => {
    const count = stage.anchors[layer.from].length / 2;
    return Array.from({ length: count }, (_, anchor) => pane.project(stage.anchors, layer, anchor));
  });
  const shapes = places.map(([x, y]) => `M${x.toFixed(2)} ${(y - 3).toFixed(2)}l3 3l-3 3l-3-3z`).join("");
  const [ground, text] = [theme.ground, theme.text].map((parts) => `rgb(${parts.join(",")})`);
  return `<path class="anchors" d="${shapes}" fill="${ground}" stroke="${text}" opacity="0.75"/>`;
}

function picture(stage: Stage, pane: Pane): string {
  stage.drawPoints();
  const points = stage.root.querySelector("canvas.points") as HTMLCanvasElement;
  const { left, top } = pane.place;
  return `<image x="${-left}" y="${-top}" width="${stage.root.clientWidth}" height="${stage.root.clientHeight}" href="${points.toDataURL()}"/>`;
}

/** One line a sample: id, columns, its place in every map in the map's own units, and whether it is selected. */
function csv(stage: Stage, model: Model, known: Known, columns: Column[], windows: number[][]): Blob {
  const places = stage.specs.flatMap((spec) => [`${spec.title} x`, `${spec.title} y`]);
  const lines = [["id", ...columns.map((column) => column.name), ...places, "selected"].map(cell).join(",")];
  for (let row = 0; row < model.rows; row++) {
    const at = stage.views.flatMap((uv, view) => {
      const [x, y, width, height] = windows[view];
      return [x + uv[2 * row] * width, y + uv[2 * row + 1] * height].map((value) => value.toPrecision(7));
    });
    const values = columns.map((column) => valueOf(column, row));
    lines.push([String(known.ids[row]), ...values, ...at, model.isSelected(row) ? "1" : "0"].map(cell).join(","));
  }
  return new Blob([lines.join("\n"), "\n"], { type: "text/csv" });
}

/** Quoted where needed; text that a spreadsheet would run as a formula is led by an apostrophe. */
export function cell(value: string): string {
  const safe = /^[=+@\t\r]|^-(?![\d.])/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function titleOf(pane: Pane): string {
  return pane.root.querySelector("figcaption")?.textContent ?? "";
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function cssColour(palette: Uint8Array, slot: number): string {
  return `rgb(${palette.slice(4 * slot, 4 * slot + 3).join(",")})`;
}
