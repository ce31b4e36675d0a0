// What all maps share: which rows are selected, hidden, hovered and clicked. Every change is told to all who listen.

import { unpack } from "./bits";
import type { Column } from "./colours";
import { HIDDEN, SELECTED } from "./render";

/** "selection" is what the visitor has chosen, "flags" what a filter or Python has changed. */
export type Change = "hover" | "selection" | "flags" | "click";
export type Way = "replace" | "add" | "remove";

export class Model {
  rows = 0;
  flags: Uint8Array = new Uint8Array();
  hovered = -1;
  clicked = -1;
  hoveredIn = -1; // the pane under the pointer
  readonly hidden = new Map<string, Set<number>>(); // classes switched off, by column
  private readonly listeners: ((change: Change) => void)[] = [];

  listen(listener: (change: Change) => void): void {
    this.listeners.push(listener);
  }

  tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }

  /** Other rows altogether: nothing of what was selected means anything now. */
  reset(rows: number): void {
    this.rows = rows;
    this.flags = new Uint8Array(rows);
    [this.hovered, this.clicked] = [-1, -1];
    this.hidden.clear();
  }

  hover(row: number, pane: number): void {
    if (row === this.hovered && pane === this.hoveredIn) return;
    [this.hovered, this.hoveredIn] = [row, pane];
    this.tell("hover");
  }

  click(row: number): void {
    if (row === this.clicked) return;
    this.clicked = row;
    this.tell("click");
  }

  select(rows: Iterable<number>, way: Way): void {
    if (way === "replace") for (let row = 0; row < this.rows; row++) this.flags[row] &= ~SELECTED;
    for (const row of rows) {
      if (way === "remove") this.flags[row] &= ~SELECTED;
      else this.flags[row] |= SELECTED;
    }
    this.tell("selection");
  }

  selectAll(): void {
    for (let row = 0; row < this.rows; row++) if (this.visible(row)) this.flags[row] |= SELECTED;
    this.tell("selection");
  }

  setSelection(bits: Uint8Array): void {
    unpack(bits, this.flags, SELECTED);
    this.tell("flags");
  }

  readonly visible = (row: number): boolean => !(this.flags[row] & HIDDEN);

  readonly isSelected = (row: number): boolean => (this.flags[row] & SELECTED) !== 0;

  count(): number {
    let count = 0;
    for (let row = 0; row < this.rows; row++) count += this.flags[row] & SELECTED;
    return count;
  }

  /** The first rows that are selected, at most so many. */
  selectedRows(most: number): number[] {
    const found: number[] = [];
    for (let row = 0; row < this.rows && found.length < most; row++) if (this.isSelected(row)) found.push(row);
    return found;
  }

  /** Switches a class off or on; with `only`, all others off, or all on when that one was alone already. */
  toggle(column: Column, code: number, only: boolean): void {
    const off = this.hidden.get(column.name) ?? new Set<number>();
    this.hidden.set(column.name, only ? othersOf(column, code, off) : flipped(off, code));
  }

  /** Hides exactly the rows of the classes that are switched off. */
  applyFilter(columns: Column[]): void {
    const active = columns.filter((column) => this.hidden.get(column.name)?.size);
    for (let row = 0; row < this.rows; row++) this.flags[row] &= ~HIDDEN;
    for (const column of active) {
      const off = this.hidden.get(column.name) as Set<number>;
      (column.values as Uint16Array).forEach((code, row) => {
        if (off.has(code)) this.flags[row] |= HIDDEN;
      });
    }
    this.tell("flags");
  }
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
