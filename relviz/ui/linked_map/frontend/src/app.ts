// The element: takes messages from Python, fetches what they name, and tells Python what was selected and clicked.

import { encode, pack } from "./bits";
import { Card, know, type Known } from "./card";
import {
  addFocus,
  colourColumn,
  type Colouring,
  type Column,
  columnOf,
  firstFocus,
  type Focus,
  focuses,
  themeOf,
} from "./colours";
import { element } from "./dom";
import { exportMaps } from "./exporting";
import { listenKeyboard } from "./keyboard";
import { labelsOf } from "./labels";
import { Legend } from "./legend";
import { Model } from "./model";
import { Gone, parcel, uvOf } from "./parcels";
import { listenPointer, times, type Tool } from "./pointer";
import type { Message, Parcel } from "./protocol";
import { SELECTED } from "./render";
import { classesOf, search } from "./search";
import { type Sight, Stage } from "./stage";
import { stateOf, statusOf } from "./status";
import { Table } from "./table";
import { type Selection, Teller } from "./telling";
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

const TRIES = 3; // to fetch what the server has let go
const kept = new Map<string, Kept>(); // by element, while Python has taken it off the page

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
  private readonly teller = new Teller(() => this.selection(), (value) => this.port?.setState("selection", value));
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
      if (change === "selection") void this.teller.take().then(() => this.stage.flag());
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
      const parcels = await Promise.all([...keys, ...others, ...selection].map(parcel));
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
    this.known = know(message, ids, this.columns);
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

  /** Colours, class names, legend and toolbar afresh. */
  private paint(): void {
    const column = this.coloured;
    if (!this.message || !column) return;
    const theme = themeOf(this.root);
    this.painted = JSON.stringify(theme);
    const focus = this.focus.get(column.name) ?? firstFocus(column);
    this.focus.set(column.name, focus);
    this.colouring = colourColumn(column, focus, this.message.palette, theme);
    const named = column.kind === "classes" && this.labelled ? [...focus.keys()] : [];
    this.stage.labels = labelsOf(column, named, this.model.hidden.get(column.name), this.stage.views);
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
      this.model.toggle(column, code, only);
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
    this.status.textContent = statusOf(this.model, this.stage);
  }

  private async selection(): Promise<Selection | null> {
    const { message, turn } = this;
    return message && { bits: await encode(pack(this.model.flags, SELECTED)), turn, ids: message.ids };
  }

  private async exportAs(kind: "png" | "svg" | "csv"): Promise<void> {
    const { message, known, colouring } = this;
    if (!message || !known || !colouring) return;
    const { stage, model, columns, windows } = this;
    const seen = { stage, model, known, columns, windows, colouring, theme: themeOf(this.root) };
    await exportMaps(`${message.name}.${kind}`, kind, seen);
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
    const shown = { colour: this.coloured?.name, pictured: this.card.pictured };
    return { ...shown, ...stateOf(this.model, this.stage), timing: { ...this.timing, ...times } };
  }

  /** Where a row is drawn in every map, in pixels of the map's field. */
  private placesOf(row: number): [number, number][] {
    return this.stage.panes.flatMap((pane) => pane.layers.map((layer) => pane.project(this.stage.views, layer, row)));
  }

  destroy(): void {
    this.keep();
    this.teller.stop();
    this.stage.destroy();
    this.root.remove();
  }
}
