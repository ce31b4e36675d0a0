// What is known of the row under the pointer: its picture, its class, its id, and the columns that Python named.

import type { Column } from "./colours";
import { element, figure } from "./dom";
import type { Model } from "./model";
import { page } from "./parcels";
import type { Message, Parcel, PictureSpec } from "./protocol";
import type { Stage } from "./stage";

export interface Known {
  ids: Uint32Array | string[];
  label: Column | null;
  columns: Column[];
  pictures: PictureSpec | null;
}

/** What a message tells of its rows. */
export function know(message: Message, ids: Parcel, columns: Column[]): Known {
  const label = columns.find(({ kind }) => kind === "classes") ?? null;
  const named = message.card.map((name) => columns.find((column) => column.name === name));
  const told = named.filter((column) => column !== undefined && column !== label) as Column[];
  return { ids: ids.columns.values as Known["ids"], label, columns: told, pictures: message.pictures };
}

export class Card {
  readonly root = element("div", { class: "card", attributes: { hidden: "" } });
  readonly spoken = element("div", { class: "spoken", attributes: { "aria-live": "polite" } });
  private readonly picture = element("canvas", { class: "picture", parent: this.root });
  private readonly words = element("div", { class: "words", parent: this.root });
  pictured = -1; // the row whose picture is shown

  constructor(
    private readonly model: Model,
    private readonly stage: Stage,
    private readonly known: () => Known | null,
  ) {
    model.listen((change) => {
      if (change === "hover") this.show();
    });
  }

  private show(): void {
    const known = this.known();
    const { hovered, hoveredIn } = this.model;
    const pane = this.stage.panes[hoveredIn];
    this.root.hidden = hovered < 0 || !pane || !known;
    if (!known || this.root.hidden) return;
    this.spoken.textContent = describe(known, hovered);
    this.words.replaceChildren(...lines(known, hovered));
    void this.showPicture(known.pictures, hovered);
    const [x, y] = pane.project(this.stage.views, pane.layers[0], hovered);
    this.moveTo(pane.place.left + x, pane.place.top + y);
  }

  private moveTo(x: number, y: number): void {
    const { offsetWidth: width, offsetHeight: height } = this.root;
    const stage = this.stage.root;
    const left = x + 16 + width > stage.clientWidth ? x - 16 - width : x + 16;
    const top = Math.max(2, Math.min(stage.clientHeight - height - 2, y - height / 2));
    this.root.style.transform = `translate(${Math.round(Math.max(2, left))}px, ${Math.round(top)}px)`;
  }

  private async showPicture(spec: PictureSpec | null, row: number): Promise<void> {
    this.picture.hidden = !spec;
    if (!spec) return;
    blank(this.picture, spec);
    const sheet = await page(spec.pages[Math.floor(row / spec.perPage)]).catch(() => null);
    if (!sheet || row !== this.model.hovered) return; // another row is hovered by now
    drawPicture(this.picture, spec, sheet, row);
    this.pictured = row;
  }
}

/** An empty picture at a whole multiple of its size, so that the card keeps its shape while a page is fetched. */
function blank(canvas: HTMLCanvasElement, spec: PictureSpec): void {
  [canvas.width, canvas.height] = [spec.width, spec.height];
  canvas.style.width = `${spec.width * Math.max(1, Math.round(72 / spec.height))}px`;
}

/** A row's picture, pixel for pixel. */
function drawPicture(canvas: HTMLCanvasElement, spec: PictureSpec, sheet: ImageBitmap, row: number): void {
  const at = row % spec.perPage;
  const [x, y] = [(at % spec.columns) * spec.width, Math.floor(at / spec.columns) * spec.height];
  const pen = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  pen.drawImage(sheet, x, y, spec.width, spec.height, 0, 0, spec.width, spec.height);
}

export function valueOf(column: Column, row: number): string {
  const value = column.values[row];
  if (column.kind === "classes") return column.names[value as number] ?? "–";
  return column.kind === "numbers" ? figure(value as number) : String(value);
}

function describe(known: Known, row: number): string {
  return [known.label && valueOf(known.label, row), `sample ${known.ids[row]}`].filter(Boolean).join(", ");
}

function lines(known: Known, row: number): HTMLElement[] {
  const head = element("div", { class: "head", text: known.label ? valueOf(known.label, row) : `Sample ${known.ids[row]}` });
  const id = element("div", { class: "quiet", text: `sample ${known.ids[row]}` });
  const rest = known.columns.map((column) => {
    const line = element("div", { class: column.kind === "texts" ? "prose" : "fact" });
    if (column.kind !== "texts") element("span", { class: "quiet", text: column.name, parent: line });
    element("span", { text: valueOf(column, row), parent: line });
    return line;
  });
  return known.label ? [head, id, ...rest] : [head, ...rest];
}
