// All maps together: one canvas under them for the points, one renderer, and what is drawn when something changes.

import { type Camera, HOME, showing } from "./camera";
import { CanvasRenderer } from "./canvas2d";
import type { Colouring, Theme } from "./colours";
import { element } from "./dom";
import { beside, buildGrid, type Grid, inside, nearest } from "./grid";
import type { Model, Way } from "./model";
import { drawAbove, type Labelled } from "./above";
import { Pane, type PaneSpec, viewOf } from "./pane";
import type { Message, ViewSpec } from "./protocol";
import { type Ink, lookOf, type Renderer } from "./render";
import { WebglRenderer } from "./webgl";

export type Mode = "maps" | "morph" | "overlay";
const REACH = 14; // pixels within which a row is under the pointer
const MORPH = 900; // milliseconds

/** How the maps are looked at. */
export interface Sight {
  mode: Mode;
  goal: number;
  linked: boolean;
  anchored: boolean;
  cameras: Camera[];
}

export class Stage {
  readonly root = element("div", { class: "stage" });
  private readonly canvas = element("canvas", { class: "points", parent: this.root, attributes: { "aria-hidden": "true" } });
  private readonly observer = new ResizeObserver(() => this.measure());
  renderer: Renderer = WebglRenderer.on(this.canvas, () => this.fallBack()) ?? new CanvasRenderer(this.canvas);
  panes: Pane[] = [];
  views: Float32Array[] = [];
  anchors: Float32Array[] = []; // of each view
  anchored = true; // whether they are drawn
  specs: ViewSpec[] = [];
  labels: Labelled | null = null;
  mode: Mode = "maps";
  linked = false;
  goal = 0; // end of the morph: 0 is where it starts from
  private grids: (Grid | null)[] = [];
  private message: Message | null = null;
  private theme: Theme | null = null;
  private colouring: Colouring | null = null;
  private frame = 0;
  private stale = false;
  private flight = 0;
  drawn: (() => void) | null = null;

  constructor(
    private readonly model: Model,
    private readonly equip: (pane: Pane) => void,
  ) {
    this.observer.observe(this.root);
    model.listen((change) => {
      if (change === "flags") this.flag();
      else this.request(false);
    });
  }

  /** Draws what is selected and hidden now. After a selection the element asks for it, once Python has been told. */
  flag(): void {
    this.renderer.setFlags(this.model.flags);
    this.request(true);
  }

  /** The browser has taken its graphics away: the maps go on, on a plain canvas. */
  private fallBack(): void {
    this.canvas.width = 0; // so that it is measured anew
    this.renderer = new CanvasRenderer(this.canvas);
    this.renderer.setPositions(this.views);
    if (this.colouring) this.renderer.setColours(this.colouring.slots, this.colouring.palette);
    this.measure();
    this.model.tell("flags");
  }

  show(message: Message, views: Float32Array[], anchors: Float32Array[]): void {
    const moved = views.some((uv, at) => uv !== this.views[at]) || views.length !== this.views.length;
    [this.message, this.specs, this.anchors] = [message, message.views, anchors];
    if (moved) {
      [this.views, this.grids] = [views, views.map(() => null)];
      this.renderer.setPositions(views);
    }
    const possible = { maps: true, morph: message.morph !== null, overlay: message.overlay !== null };
    this.setMode(possible[this.mode] ? this.mode : "maps");
  }

  paint(colouring: Colouring, theme: Theme): void {
    [this.colouring, this.theme] = [colouring, theme];
    this.renderer.setColours(colouring.slots, colouring.palette);
    this.request(true);
  }

  setMode(mode: Mode): void {
    this.land();
    if (mode !== this.mode) for (const pane of this.panes) pane.camera = HOME;
    this.mode = mode;
    const specs = this.paneSpecs();
    while (this.panes.length > specs.length) this.panes.pop()?.root.remove();
    while (this.panes.length < specs.length) {
      const pane = new Pane(this.root, this.panes.length);
      this.equip(pane);
      this.panes.push(pane);
    }
    specs.forEach((spec, at) => this.panes[at].show(spec));
    this.root.dataset.panes = String(specs.length);
    this.measure();
  }

  private paneSpecs(): PaneSpec[] {
    const { specs, message } = this;
    const still = (view: number, ring = false) => ({ from: view, to: view, share: 0, ring });
    if (this.mode === "morph" && message?.morph) {
      return message.morph.pairs.map(([from, to]) => ({
        ...specs[this.goal ? to : from],
        layers: [{ from, to, share: this.goal, ring: false }],
      }));
    }
    if (this.mode === "overlay" && message?.overlay) {
      const [a, b] = message.overlay;
      const title = `${specs[a].title} (discs) and ${specs[b].title} (rings)`;
      return [{ title, badge: "", hue: specs[a].hue, layers: [still(a), still(b, true)] }];
    }
    return specs.map((spec, view) => ({ ...spec, layers: [still(view)] }));
  }

  /** Moves every map to the other end of its morph, at once where motion is not wanted. */
  morph(goal: number): void {
    this.goal = goal;
    const begin = this.panes[0].layers[0].share;
    const start = performance.now();
    const quick = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const step = (): void => {
      const time = quick ? 1 : Math.min(1, (performance.now() - start) / MORPH);
      const eased = time < 0.5 ? 2 * time * time : 1 - (2 - 2 * time) ** 2 / 2;
      const share = time === 1 ? goal : begin + (goal - begin) * eased;
      for (const pane of this.panes) pane.layers[0].share = share;
      this.request(true);
      this.flight = time < 1 ? requestAnimationFrame(step) : 0;
      if (time === 1) this.panes.forEach((pane) => pane.rename(this.specs[viewOf(pane.layers[0])]));
    };
    cancelAnimationFrame(this.flight);
    step();
  }

  /** Ends a morph that is under way. */
  private land(): void {
    cancelAnimationFrame(this.flight);
    this.flight = 0;
  }

  get moving(): boolean {
    return this.flight !== 0;
  }

  setCamera(pane: Pane, camera: Camera): void {
    for (const one of this.linked ? this.panes : [pane]) one.camera = camera;
    this.request(true);
  }

  get sight(): Sight {
    const { mode, goal, linked, anchored } = this;
    return { mode, goal, linked, anchored, cameras: this.panes.map(({ camera }) => camera) };
  }

  restore(sight: Sight): void {
    [this.goal, this.linked, this.anchored] = [sight.goal, sight.linked, sight.anchored];
    this.setMode(sight.mode);
    this.panes.forEach((pane, at) => (pane.camera = sight.cameras[at]));
  }

  resetCameras(): void {
    for (const pane of this.panes) pane.camera = HOME;
    this.request(true);
  }

  measure(): void {
    const corner = this.root.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const moved = this.panes.map((pane) => pane.measure(corner, ratio)).some(Boolean);
    if (moved || this.canvas.width !== Math.max(1, Math.round(corner.width * ratio))) {
      this.renderer.resize(corner.width, corner.height, ratio);
    }
    this.request(true);
  }

  /** Draws at the next frame: what lies above the points, and the points too if they have changed. */
  request(points: boolean): void {
    this.stale ||= points;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.stale) this.drawPoints();
      for (const pane of this.panes) if (this.theme) drawAbove(this, pane, this.model, this.theme);
    });
  }

  drawPoints(): void {
    this.stale = false;
    if (!this.theme || !this.colouring) return;
    const frames = this.panes.map((pane) => pane.frame());
    const looks = frames.map((frame) => lookOf(Math.min(this.model.rows, this.renderer.limit), frame));
    this.renderer.draw(frames, looks, inkOf(this.theme));
    this.drawn?.();
    this.drawn = null;
    setTimeout(() => this.prepare(), 50);
  }

  /** Sorts one view's rows by place when there is nothing else to do, so that no hover has to wait for it. */
  private prepare(): void {
    const view = this.grids.indexOf(null);
    if (view < 0) return;
    this.grid(view);
    setTimeout(() => this.prepare(), 50);
  }

  private grid(view: number): Grid {
    return (this.grids[view] ??= buildGrid(this.views[view]));
  }

  rowAt(pane: Pane, px: number, py: number): number {
    const at = pane.unproject(px, py);
    const stretch = stretchOf(pane);
    let best = { row: -1, distance: REACH };
    if (this.moving) return -1;
    for (const layer of pane.layers) {
      const found = nearest(this.grid(viewOf(layer)), at, stretch, best.distance, this.model.visible);
      if (found.row >= 0) best = found;
    }
    return best.row;
  }

  /** Selects what lies inside a path of pixels, in any layer of the pane. */
  selectInside(pane: Pane, path: number[], way: Way): void {
    const polygon: number[] = [];
    for (let at = 0; at < path.length; at += 2) polygon.push(...pane.unproject(path[at], path[at + 1]));
    const rows = pane.layers.flatMap((layer) => inside(this.grid(viewOf(layer)), polygon, this.model.visible));
    this.model.select(rows, way);
  }

  /** Moves the hovered row in a direction, and the map along where the row would be out of sight. */
  step(pane: Pane, direction: [number, number]): void {
    const grid = this.grid(viewOf(pane.layers[0]));
    const { hovered } = this.model;
    const row =
      hovered < 0
        ? nearest(grid, [pane.camera.x, pane.camera.y], stretchOf(pane), Infinity, this.model.visible).row
        : beside(grid, hovered, direction, stretchOf(pane), this.model.visible);
    if (row < 0) return;
    this.setCamera(pane, showing(pane.camera, grid.uv[2 * row], grid.uv[2 * row + 1]));
    this.model.hover(row, pane.number);
  }

  destroy(): void {
    this.observer.disconnect();
    this.land();
    cancelAnimationFrame(this.frame);
    this.renderer.destroy();
  }
}

function stretchOf(pane: Pane): [number, number] {
  return [pane.size.width * pane.camera.zoom, pane.size.height * pane.camera.zoom];
}

function inkOf(theme: Theme): Ink {
  const share = (parts: number[]) => parts.map((part) => part / 255) as [number, number, number];
  const grey = theme.ground.map((part, at) => 0.5 * part + 0.5 * theme.text[at]);
  return { context: share(grey) };
}
