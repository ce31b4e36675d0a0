// The controls above the maps: what is shown, what a drag does, which column colours, search, and a menu with the rest.

import { button, element } from "./dom";
import type { Tool } from "./pointer";
import type { Message } from "./protocol";
import type { Mode } from "./stage";

export interface ToolbarState {
  mode: Mode;
  goal: number;
  tool: Tool;
  colour: string;
  linked: boolean;
  labelled: boolean;
  anchored: boolean;
}

export interface ToolbarActions {
  setMode(mode: Mode): void;
  morph(goal: number): void;
  setTool(tool: Tool): void;
  setColour(name: string): void;
  search(query: string): number;
  take(query: string, add: boolean): void;
  menu: [string, string, () => void][];
  setLinked(on: boolean): void;
  setLabelled(on: boolean): void;
  setAnchored(on: boolean): void;
}

const MODES: [Mode, string, string][] = [
  ["maps", "Maps", "All maps side by side"],
  ["morph", "Morph", "One large map a model, moving from one space to the other"],
  ["overlay", "Overlay", "Both models in their shared map, lines between the two places of a sample"],
];
const TOOLS: [Tool, string, string][] = [
  ["pan", "Pan", "Drag to move, wheel to zoom, double-click to reset; with Shift a lasso adds, with Alt it removes"],
  ["lasso", "Lasso", "Drag around samples; Shift adds, Alt removes"],
  ["box", "Box", "Drag a box around samples; Shift adds, Alt removes"],
];

export class Toolbar {
  readonly root = element("div", { class: "toolbar", attributes: { role: "toolbar", "aria-label": "Maps" } });
  private readonly modes = this.group("View");
  private readonly ends = this.group("Morph to");
  private readonly tools = this.group("Drag");
  private readonly colour = element("select", { attributes: { "aria-label": "Colour by", title: "Colour by" } });
  private readonly query = element("input", {
    attributes: { type: "search", placeholder: "Search id, class, text", "aria-label": "Search id, class or text; Enter selects" },
  });
  private readonly found = element("span", { class: "quiet found" });
  private readonly menu = element("details", { class: "menu" });

  constructor(private readonly actions: ToolbarActions) {
    this.root.append(this.colour, element("span", { class: "space" }), this.found, this.query, this.menu);
    this.colour.onchange = () => actions.setColour(this.colour.value);
    this.query.oninput = () => this.count(actions.search(this.query.value));
    this.query.onkeydown = (event) => {
      event.stopPropagation(); // Streamlit has keys of its own
      if (event.key === "Enter") actions.take(this.query.value, event.shiftKey);
    };
    this.menu.onkeydown = (event) => {
      if (event.key === "Escape") this.menu.open = false;
    };
  }

  /** Closes the menu when one turns to something else. */
  leave(event: Event): void {
    if (!event.composedPath().includes(this.menu)) this.menu.open = false;
  }

  show(message: Message, state: ToolbarState): void {
    const modes = MODES.filter(([mode]) => mode === "maps" || message[mode] !== null);
    this.fill(this.modes, modes.length > 1 ? modes : [], state.mode, (mode) => this.actions.setMode(mode));
    const names = state.mode === "morph" ? (message.morph?.names ?? []) : [];
    const ends = names.map((name, at): [string, string, string] => [String(at), name, `Move to ${name}`]);
    this.fill(this.ends, ends, String(state.goal), (goal) => this.actions.morph(Number(goal)));
    this.fill(this.tools, TOOLS, state.tool, (tool) => this.actions.setTool(tool));
    const options = message.columns.filter((column) => column.kind !== "texts");
    this.colour.replaceChildren(...options.map(({ name }) => element("option", { text: name, attributes: { value: name } })));
    this.colour.value = state.colour;
    this.fillMenu(state);
  }

  private count(found: number): void {
    this.found.textContent = this.query.value.trim() ? `${found.toLocaleString("en-US")} found, Enter selects` : "";
  }

  private group(label: string): HTMLElement {
    return element("div", { class: "group", parent: this.root, attributes: { role: "group", "aria-label": label } });
  }

  private fill<T extends string>(group: HTMLElement, options: [T, string, string][], now: T, choose: (value: T) => void): void {
    const focused = [...group.children].indexOf((group.getRootNode() as ShadowRoot).activeElement as Element);
    group.replaceChildren();
    group.hidden = !options.length;
    for (const [value, text, title] of options) {
      button(group, text, title, () => choose(value)).setAttribute("aria-pressed", String(value === now));
    }
    (group.children[focused] as HTMLElement | undefined)?.focus();
  }

  private fillMenu(state: ToolbarState): void {
    const list = element("div", { class: "items" });
    const close = (act: () => void) => () => {
      this.menu.open = false;
      act();
    };
    check(list, "Zoom all maps together", state.linked, (on) => this.actions.setLinked(on));
    check(list, "Class names on the maps", state.labelled, (on) => this.actions.setLabelled(on));
    check(list, "Anchors on the maps", state.anchored, (on) => this.actions.setAnchored(on));
    for (const [text, title, act] of this.actions.menu) button(list, text, title, close(act));
    this.menu.replaceChildren(element("summary", { text: "More", attributes: { title: "Select all, table, export" } }), list);
  }
}

function check(parent: HTMLElement, text: string, on: boolean, change: (on: boolean) => void): void {
  const label = element("label", { parent });
  const box = element("input", { parent: label, attributes: { type: "checkbox" } });
  box.checked = on;
  box.onchange = () => change(box.checked);
  label.append(text);
}
