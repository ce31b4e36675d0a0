// The colours' meaning. A class is a switch: it hides its rows, or, where there are many classes, gives them a colour.

import { type Colouring, type Column, type Focus, focuses } from "./colours";
import { button, count, element, figure } from "./dom";
import type { Model } from "./model";

export interface LegendActions {
  toggle(column: Column, code: number, only: boolean): void;
  showAll(): void;
}

export class Legend {
  readonly root = element("div", { class: "legend" });

  constructor(
    private readonly model: Model,
    private readonly actions: LegendActions,
  ) {}

  show(column: Column, colouring: Colouring, focus: Focus): void {
    const kept = this.root.scrollTop;
    this.root.replaceChildren();
    if (column.kind === "numbers") this.showGradient(column, colouring);
    else this.showClasses(column, colouring, focus);
    if ([...this.model.hidden.values()].some((codes) => codes.size)) {
      button(this.root, "Show all", "Show the classes that are switched off", () => this.actions.showAll());
    }
    this.root.scrollTop = kept;
  }

  private showGradient(column: Column, colouring: Colouring): void {
    element("span", { text: figure(column.low), parent: this.root });
    const bar = element("span", { class: "gradient", parent: this.root });
    bar.style.background = `linear-gradient(90deg, ${colouring.gradient.join(",")})`;
    element("span", { text: figure(column.high), parent: this.root });
  }

  private showClasses(column: Column, colouring: Colouring, focus: Focus): void {
    const many = focuses(column);
    const order = column.names.map((_, code) => code);
    if (many) {
      order.sort((a, b) => Number(focus.has(b)) - Number(focus.has(a)) || column.counts[b] - column.counts[a]);
      const words = `${column.names.length} classes, ${focus.size} in colour; click or search for others:`;
      element("span", { class: "quiet", text: words, parent: this.root });
    }
    for (const code of order) {
      const on = many ? focus.has(code) : !this.model.hidden.get(column.name)?.has(code);
      const help = many ? "Give this class a colour" : "Show or hide; with Alt, show this one only";
      const [name, size] = [column.names[code], count(column.counts[code])];
      const made = button(this.root, name, `${name}: ${size} samples. ${help}`, () => undefined);
      made.onclick = (event) => this.actions.toggle(column, code, event.altKey);
      made.className = "class";
      made.setAttribute("aria-pressed", String(on));
      made.style.setProperty("--own", colouring.css(code));
    }
  }
}
