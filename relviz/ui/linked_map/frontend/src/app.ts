// The element: takes messages from Python, fetches what they name, and tells Python what was selected and clicked.

import { encode, pack } from "./bits";
import { Card, type Known } from "./card";
import {
  addFocus,
  colourClasses,
  colourNumbers,
  type Colouring,
  type Column,
  columnOf,
  firstFocus,
  type Focus,
  focuses,
  themeOf,
} from "./colours";
import { count, element } from "./dom";
import { csv, cssColour, png, save, svg } from "./exporting";
import { listenKeyboard } from "./keyboard";
import { labelPlaces } from "./labels";
import { Legend } from "./legend";
import { Model } from "./model";
import { Gone, parcel, traffic, weigh } from "./parcels";
import { listenPointer, times, type Tool } from "./pointer";
import { type Message, type Parcel, positions } from "./protocol";
import { SELECTED } from "./render";
import { classesOf, search } from "./search";
import { type Sight, Stage } from "./stage";
import { Table } from "./table";
import { Toolbar } from "./toolbar";

export interface Port {
  setState(name: "selection" | "clicked", value: unknown): void;
  trigger(name: "lost", value: unknown): void;
}

/** What a visitor has set, and which rows it was set for. */
interface Kept {
  ids: string;
  asked: string;
  colour: string;
  tool: Tool;
  labelled: boolean;
  focus: Map<string, Focus>;
  hidden: Map<string, Set<number>>;
  sight: Sight;
}

const PAUSE = 200; // milliseconds between two selections on their way to Python
const TRIES = 3; // to fetch what the server has let go
const kept = new Map<string, Kept>(); // by element, while Python has taken it off the page
const uvs = new WeakMap<Parcel, Float32Array>(); // decoded once, so that equal data stay the same array

export class App {
  readonly root = element("div", { class: "relviz-maps" });
  private readonly model = new Model();
  private readonly stage: Stage = new Stage(this.model, (pane) => {
    listenPointer(this.stage, pane, this.model, () => this.tool);
    listenKeyboard(this.stage, pane, this.model);
  });
  private readonly card: Card = new Card(this.model, this.stage, () => this.known);
  private readonly table = new Table(this.model, () => this.known && { known: this.known, columns: this.columns });
  private readonly legend = new Legend(this.model, { toggle: (...all) => this.toggle(...all), showAll: () => this.showAll() });
  private readonly toolbar = this.makeToolbar();
  private readonly status = element("div", { class: "status", attributes: { "aria-live": "polite" } });
  private readonly note = element("div", { class: "note", text: "Loading the maps …" });
  private port: Port | null = null;
  private message: Message | null = null;
  private columns: Column[] = [];
  private windows: number[][] = [];
  private known: Known | null = null;
  private colouring: Colouring | null = null;
  private focus = new Map<string, Focus>();
  private colour = "";
  private asked = "";
  private painted = ""; // the theme of what is drawn
  private tool: Tool = "pan";
  private labelled = true;
  private found: number[] = [];
  private turn = 0;
  private token = 0;
  private tries = 0;
  private timer = 0;
  private last = ""; // what Python was told last, and when
  private told = -Infinity;
  private readonly timing = { arrived: 0, firstFrame: 0 };

  constructor(parent: ShadowRoot | HTMLElement) {
    const foot = element("div", { class: "foot" });
    foot.append(this.legend.root, this.status);
    this.stage.root.append(this.card.root, this.table.root, this.note);
    this.root.append(this.toolbar.root, this.stage.root, foot, this.card.spoken);
    parent.appendChild(this.root);
    this.root.onpointerdown = (event) => this.toolbar.leave(event);
    Object.assign(this.root, { relviz: { state: () => this.state(), row: (row: number) => this.placesOf(row) } });
    this.model.listen((change) => {
      if (change === "selection") void this.takeSelection();
      if (change === "selection" || change === "flags") this.showStatus();
      if (change === "click") this.port?.setState("clicked", { row: this.model.clicked, ids: this.message?.ids });
    });
  }

  /** A message from Python, or a new theme. What is late never replaces what is newer; until all is there, all stays. */
  async update(message: Message, port: Port): Promise<void> {
    this.port = port;
    this.root.style.setProperty("--height", `${message.height}px`);
    if (JSON.stringify(message) === JSON.stringify(this.message)) {
      if (JSON.stringify(themeOf(this.root)) !== this.painted) this.paint();
      return;
    }
    const token = ++this.token;
    const start = performance.now();
    try {
      const keys = [...message.views, ...message.columns].map(({ key }) => key);
      const others = [message.ids, ...message.views.map(({ anchors }) => anchors)];
      const selection = message.selection ? [message.selection.key] : [];
      const parcels = await Promise.all([...keys, ...others, ...selection].map(load));
      if (token === this.token) this.apply(message, parcels, start);
    } catch (error) {
      if (token === this.token) this.fail(error, message, port);
    }
  }

  private apply(message: Message, parcels: Parcel[], start: number): void {
    const views = parcels.slice(0, message.views.length);
    const [ids, ...rest] = parcels.slice(message.views.length + message.columns.length);
    const selection = rest.splice(message.views.length)[0];
    if (message.ids !== this.message?.ids) this.model.reset(message.rows);
    const before = this.message ? undefined : kept.get(message.name);
    const mine = before?.ids === message.ids ? before : undefined;
    if (mine) this.restore(mine);
    this.message = message;
    this.tries = 0;
    this.note.hidden = true;
    this.columns = message.columns.map(({ name, kind }, at) => columnOf(name, kind, parcels[message.views.length + at]));
    this.windows = views.map(({ meta }) => meta.window as number[]);
    this.known = this.know(message, ids);
    if (message.colour !== this.asked) this.colour = this.asked = message.colour;
    this.timing.arrived = performance.now() - start;
    this.stage.drawn = () => requestAnimationFrame(() => (this.timing.firstFrame ||= performance.now() - start));
    this.stage.show(message, views.map(uvOf), rest.map(uvOf));
    if (mine) this.stage.restore(mine.sight);
    this.model.applyFilter(this.columns);
    if (message.selection && message.selection.turn > this.turn) {
      this.turn = message.selection.turn;
      this.model.setSelection(selection.columns.values as Uint8Array);
    }
    this.paint();
  }

  private restore(mine: Kept): void {
    ({ asked: this.asked, colour: this.colour, tool: this.tool, labelled: this.labelled, focus: this.focus } = mine);
    for (const [name, codes] of mine.hidden) this.model.hidden.set(name, codes);
  }

  private keep(): void {
    if (!this.message) return;
    const { asked, colour, tool, labelled, focus } = this;
    const { ids, name } = this.message;
    kept.set(name, { ids, asked, colour, tool, labelled, focus, hidden: this.model.hidden, sight: this.stage.sight });
  }

  private know(message: Message, ids: Parcel): Known {
    const label = this.columns.find(({ kind }) => kind === "classes") ?? null;
    const named = message.card.map((name) => this.columns.find((column) => column.name === name));
    const columns = named.filter((column) => column !== undefined && column !== label) as Column[];
    return { ids: ids.columns.values as Known["ids"], label, columns, pictures: message.pictures };
  }

  /** Colours, class names, legend and toolbar afresh. */
  private paint(): void {
    const column = this.coloured;
    if (!this.message || !column) return;
    const theme = themeOf(this.root);
    this.painted = JSON.stringify(theme);
    const focus = this.focus.get(column.name) ?? firstFocus(column);
    this.focus.set(column.name, focus);
    const { classes, sequence } = this.message.palette;
    const byClass = column.kind === "classes";
    this.colouring = byClass ? colourClasses(column, focus, classes, theme) : colourNumbers(column, sequence, theme);
    const codes = byClass && this.labelled ? [...focus.keys()].filter((code) => !this.model.hidden.get(column.name)?.has(code)) : [];
    const places = codes.length ? this.stage.views.map((uv) => labelPlaces(column, uv)) : [];
    this.stage.labels = codes.length ? { names: column.names, codes, places } : null;
    this.stage.paint(this.colouring, theme);
    this.legend.show(column, this.colouring, focus);
    this.showToolbar();
    this.showStatus();
  }

  /** The column that colours: the wanted one, or for as long as Python does not have it, the one that Python names. */
  private get coloured(): Column | undefined {
    const named = (wanted: string | undefined) => this.columns.find(({ name }) => name === wanted);
    return named(this.colour) ?? named(this.message?.colour);
  }

  private showToolbar(): void {
    const { tool, labelled, stage } = this;
    const { mode, goal, linked, anchored } = stage;
    this.root.dataset.tool = tool;
    const colour = this.coloured?.name ?? "";
    if (this.message) this.toolbar.show(this.message, { mode, goal, tool, colour, linked, labelled, anchored });
  }

  private makeToolbar(): Toolbar {
    const then = (act: () => void): void => {
      act();
      this.paint();
    };
    return new Toolbar({
      setMode: (mode) => then(() => this.stage.setMode(mode)),
      morph: (goal) => then(() => this.stage.morph(goal)),
      setTool: (tool) => then(() => (this.tool = tool)),
      setColour: (name) => then(() => (this.colour = name)),
      setLinked: (on) => then(() => (this.stage.linked = on)),
      setLabelled: (on) => then(() => (this.labelled = on)),
      setAnchored: (on) => then(() => (this.stage.anchored = on)),
      search: (query) => this.search(query),
      take: (query, add) => this.take(query, add),
      menu: [
        ["Select all", "Select every sample that is shown", () => this.model.selectAll()],
        ["Clear selection", "Select nothing", () => this.model.select([], "replace")],
        ["Reset the view", "Show all of every map", () => this.stage.resetCameras()],
        ["Table", "The selected samples as a table", () => this.table.toggle()],
        ["Save PNG", "The maps as a picture", () => this.exportAs("png")],
        ["Save SVG", "The maps as a drawing", () => this.exportAs("svg")],
        ["Save CSV", "Ids, columns, coordinates and selection", () => this.exportAs("csv")],
      ],
    });
  }

  private search(query: string): number {
    this.found = this.known ? search(query, { ids: this.known.ids, columns: this.columns }) : [];
    this.model.hover(this.found[0] ?? -1, 0);
    return this.found.length;
  }

  /** Selects what was found; a class that was looked for gets a colour, where not all have one. */
  private take(query: string, add: boolean): void {
    const column = this.coloured;
    if (column?.kind === "classes" && focuses(column)) {
      for (const code of classesOf(column, query)) addFocus(this.focus.get(column.name) as Focus, code);
      this.paint();
    }
    this.model.select(this.found, add ? "add" : "replace");
  }

  private toggle(column: Column, code: number, only: boolean): void {
    if (focuses(column)) {
      const focus = this.focus.get(column.name) as Focus;
      if (!focus.delete(code)) addFocus(focus, code);
    } else {
      const off = this.model.hidden.get(column.name) ?? new Set<number>();
      this.model.hidden.set(column.name, only ? othersOf(column, code, off) : flipped(off, code));
      this.model.applyFilter(this.columns);
    }
    this.paint();
  }

  private showAll(): void {
    this.model.hidden.clear();
    this.model.applyFilter(this.columns);
    this.paint();
  }

  private showStatus(): void {
    const limit = this.stage.renderer.limit;
    const drawn = limit < this.model.rows ? `${count(limit)} of ${count(this.model.rows)} samples drawn: no WebGL here` : "";
    const chosen = this.model.count();
    const words = chosen ? `${count(chosen)} of ${count(this.model.rows)} selected` : `${count(this.model.rows)} samples`;
    const anchors = (this.stage.anchors[0]?.length ?? 0) / 2;
    const marked = anchors && this.stage.anchored ? `◇ ${count(anchors)} anchors` : "";
    this.status.textContent = [drawn, words, marked].filter(Boolean).join(" · ");
  }

  /** The first selection after a pause goes to Python before it is drawn, those of a quick series once it has ended. */
  private async takeSelection(): Promise<void> {
    clearTimeout(this.timer);
    const wait = this.told + PAUSE - performance.now();
    if (wait > 0) this.timer = window.setTimeout(() => void this.tellSelection(), wait);
    else await this.tellSelection();
    this.stage.flag();
  }

  /** Sends the selection if it is another one than Python knows of. */
  private async tellSelection(): Promise<void> {
    const { message, turn } = this;
    if (!message) return;
    const value = { bits: await encode(pack(this.model.flags, SELECTED)), turn, ids: message.ids };
    const text = JSON.stringify(value);
    if (text === this.last) return;
    this.last = text;
    this.told = performance.now();
    this.port?.setState("selection", value);
  }

  private async exportAs(kind: "png" | "svg" | "csv"): Promise<void> {
    const { message, known, colouring } = this;
    if (!message || !known || !colouring) return;
    const theme = themeOf(this.root);
    const colour = (row: number): string => cssColour(colouring.palette, colouring.slots[row]);
    const made = {
      png: () => png(this.stage, theme),
      svg: () => svg(this.stage, this.model, colour, theme),
      csv: () => csv(this.stage, this.model, known, this.columns, this.windows),
    };
    save(`${message.name}.${kind}`, await made[kind]());
  }

  /** Asks Python to offer anew what the server has let go, and tries again; what was shown stays meanwhile. */
  private fail(error: unknown, message: Message, port: Port): void {
    this.tries += 1;
    if (error instanceof Gone && this.tries <= TRIES) {
      port.trigger("lost", this.tries);
      window.setTimeout(() => void this.update(message, port), 1000 * this.tries);
      return;
    }
    this.note.hidden = this.message !== null;
    this.note.textContent = "The maps could not be fetched. Reload the page if they do not come back.";
    console.error(error);
  }

  /** For tests and benchmarks: what is shown now. */
  private state(): Record<string, unknown> {
    const { model, stage } = this;
    return {
      rows: model.rows,
      renderer: stage.renderer.name,
      mode: stage.mode,
      moving: stage.moving,
      colour: this.coloured?.name,
      hovered: model.hovered,
      clicked: model.clicked,
      selected: model.count(),
      selection: model.selectedRows(10_000),
      pictured: this.card.pictured,
      anchors: stage.anchors.map((uv) => uv.length / 2),
      panes: stage.panes.map((pane) => ({ layers: pane.layers, camera: pane.camera, place: pane.place, size: pane.size })),
      traffic: { ...traffic },
      timing: { ...this.timing, ...times },
    };
  }

  /** Where a row is drawn in every map, in pixels of the map's field. */
  private placesOf(row: number): [number, number][] {
    return this.stage.panes.flatMap((pane) => pane.layers.map((layer) => pane.project(this.stage.views, layer, row)));
  }

  destroy(): void {
    this.keep();
    clearTimeout(this.timer);
    this.stage.destroy();
    this.root.remove();
  }
}

async function load(key: string): Promise<Parcel> {
  const found = await parcel(key);
  weigh(key, found.bytes);
  return found;
}

function uvOf(found: Parcel): Float32Array {
  const known = uvs.get(found) ?? positions(found);
  uvs.set(found, known);
  return known;
}

function flipped(codes: Set<number>, code: number): Set<number> {
  const next = new Set(codes);
  if (!next.delete(code)) next.add(code);
  return next;
}

/** All classes but one; none when that one was alone already. */
function othersOf(column: Column, code: number, off: Set<number>): Set<number> {
  const others = column.names.map((_, other) => other).filter((other) => other !== code);
  const alone = off.size === others.length && !off.has(code);
  return new Set(alone ? [] : others);
}
