// The same rows without pictures: a plain table of the selection, for eyes and for screen readers.

import type { Column } from "./colours";
import { type Known, valueOf } from "./card";
import { button, count, element } from "./dom";
import type { Model } from "./model";

const MOST = 200;

export class Table {
  readonly root = element("div", { class: "table", attributes: { hidden: "", role: "region", "aria-label": "Table of samples" } });

  constructor(
    private readonly model: Model,
    private readonly known: () => { known: Known; columns: Column[] } | null,
  ) {
    model.listen((change) => {
      if ((change === "flags" || change === "selection") && !this.root.hidden) this.fill();
    });
  }

  toggle(): void {
    this.root.hidden = !this.root.hidden;
    if (!this.root.hidden) this.fill();
  }

  private fill(): void {
    const found = this.known();
    if (!found) return;
    const { known, columns } = found;
    const chosen = this.model.selectedRows(MOST);
    const rows = chosen.length ? chosen : firstRows(this.model);
    const total = chosen.length ? this.model.count() : this.model.rows;
    const words = `${count(rows.length)} of ${count(total)} ${chosen.length ? "selected " : ""}samples`;
    const bar = element("div", { class: "bar" });
    element("span", { text: words, parent: bar });
    button(bar, "Close", "Back to the maps", () => this.toggle());
    const table = element("table");
    line(table, "th", ["sample", ...columns.map((column) => column.name)]);
    for (const row of rows) line(table, "td", [String(known.ids[row]), ...columns.map((column) => valueOf(column, row))]);
    this.root.replaceChildren(bar, table);
  }
}

function firstRows(model: Model): number[] {
  const rows: number[] = [];
  for (let row = 0; row < model.rows && rows.length < MOST; row++) if (model.visible(row)) rows.push(row);
  return rows;
}

function line(table: HTMLTableElement, tag: "th" | "td", cells: string[]): void {
  const made = element("tr", { parent: table });
  for (const text of cells) element(tag, { text, parent: made });
}
