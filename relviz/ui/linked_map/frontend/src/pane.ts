// One map: its title and badge, the field one points at, and the canvas for what lies above the points.

import { type Camera, HOME, type Size, toScreen, toWindow } from "./camera";
import { element } from "./dom";
import type { Frame, Layer } from "./render";

export interface PaneSpec {
  title: string;
  badge: string;
  hue: string;
  layers: Layer[];
}

export class Pane {
  readonly root = element("figure", { class: "pane" });
  readonly field: HTMLDivElement;
  readonly above: HTMLCanvasElement;
  readonly pen: CanvasRenderingContext2D;
  private readonly title: HTMLElement;
  private readonly badge: HTMLElement;
  camera: Camera = HOME;
  layers: Layer[] = [];
  place = { left: 0, top: 0 };
  size: Size = { width: 1, height: 1 };
  path: number[] = []; // the lasso being drawn, in pixels

  constructor(parent: HTMLElement, readonly number: number) {
    const caption = element("figcaption", { parent: this.root });
    this.title = element("span", { class: "title", parent: caption });
    this.badge = element("span", { class: "badge", parent: caption });
    this.field = element("div", { class: "field", parent: this.root, attributes: { tabindex: "0", role: "application" } });
    this.above = element("canvas", { parent: this.field, attributes: { "aria-hidden": "true" } });
    this.pen = this.above.getContext("2d") as CanvasRenderingContext2D;
    parent.appendChild(this.root);
  }

  show(spec: PaneSpec): void {
    this.layers = spec.layers;
    this.rename(spec);
    this.root.style.setProperty("--hue", spec.hue);
  }

  rename(spec: { title: string; badge: string }): void {
    this.title.textContent = this.title.title = spec.title;
    this.badge.textContent = spec.badge;
    const help = "Arrow keys go to the nearest sample in that direction, Enter opens it, Escape clears.";
    this.field.setAttribute("aria-label", `Map ${spec.title}. ${spec.badge}. ${help}`);
  }

  /** Measures itself; true when anything has changed. */
  measure(corner: DOMRect, ratio: number): boolean {
    const box = this.field.getBoundingClientRect();
    const next = [box.left - corner.left, box.top - corner.top, box.width, box.height];
    const last = [this.place.left, this.place.top, this.size.width, this.size.height];
    const width = Math.round(box.width * ratio);
    if (next.every((value, at) => value === last[at]) && this.above.width === width) return false;
    this.place = { left: next[0], top: next[1] };
    this.size = { width: Math.max(1, next[2]), height: Math.max(1, next[3]) };
    this.above.width = width;
    this.above.height = Math.round(box.height * ratio);
    return true;
  }

  frame(): Frame {
    return { ...this.place, ...this.size, camera: this.camera, layers: this.layers };
  }

  /** Where a row of a layer, or an anchor, is drawn, in pixels of the field. */
  project(views: Float32Array[], layer: Layer, row: number): [number, number] {
    const [from, to] = [views[layer.from], views[layer.to]];
    const u = from[2 * row] * (1 - layer.share) + to[2 * row] * layer.share;
    const v = from[2 * row + 1] * (1 - layer.share) + to[2 * row + 1] * layer.share;
    return toScreen(this.camera, this.size, u, v);
  }

  unproject(px: number, py: number): [number, number] {
    return toWindow(this.camera, this.size, px, py);
  }
}

/** The view that a layer at rest shows. */
export function viewOf(layer: Layer): number {
  return layer.share < 0.5 ? layer.from : layer.to;
}
