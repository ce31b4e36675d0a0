// From a column to colours: each row gets a slot (0 to 255), each slot a colour. Slot 0 is grey: no value, or no focus.

import type { Message, Parcel } from "./protocol";

export const CONTEXT = 0;
const FOCUS = 20; // classes that have a colour at first when there are more
const MOST = 255; // colours at once: a row has a byte to say which

/** The classes that have a colour, and which: a class keeps its place while others come and go. */
export type Focus = Map<number, number>;

export interface Column {
  name: string;
  kind: "classes" | "numbers" | "texts";
  names: string[]; // of classes
  counts: number[];
  low: number;
  high: number;
  values: Uint8Array | Uint16Array | Float32Array | string[];
}

export interface Theme {
  ground: [number, number, number];
  text: [number, number, number];
  dark: boolean;
}

export interface Colouring {
  slots: Uint8Array;
  palette: Uint8Array;
  css: (code: number) => string; // of a class
  gradient: string[];
}

export function columnOf(name: string, kind: Column["kind"], parcel: Parcel): Column {
  const meta = parcel.meta as { names?: string[]; low?: number; high?: number };
  const values = parcel.columns.values as Column["values"];
  const names = meta.names ?? [];
  const counts = new Array<number>(names.length).fill(0);
  if (kind === "classes") for (const code of values as Uint16Array) if (code < names.length) counts[code]++;
  return { name, kind, names, counts, low: meta.low ?? 0, high: meta.high ?? 1, values };
}

/** The classes that have a colour at first: all, or the largest ones where there are too many. */
export function firstFocus(column: Column): Focus {
  const codes = column.names.map((_, code) => code);
  if (focuses(column)) codes.sort((a, b) => column.counts[b] - column.counts[a]);
  return new Map(codes.slice(0, FOCUS).map((code, place) => [code, place]));
}

export function focuses(column: Column): boolean {
  return column.names.length > FOCUS;
}

/** Gives a class the first colour that is free; where all are taken, the one that was given longest ago. */
export function addFocus(focus: Focus, code: number): void {
  if (focus.has(code)) return;
  if (focus.size === MOST) focus.delete([...focus.keys()][0]);
  const taken = new Set(focus.values());
  let place = 0;
  while (taken.has(place)) place++;
  focus.set(code, place);
}

export function colourColumn(column: Column, focus: Focus, palette: Message["palette"], theme: Theme): Colouring {
  if (column.kind === "classes") return colourClasses(column, focus, palette.classes, theme);
  return colourNumbers(column, palette.sequence, theme);
}

export function colourClasses(column: Column, focus: Focus, colours: string[], theme: Theme): Colouring {
  const palette = emptyPalette(theme);
  const slotOf = new Uint8Array(65536);
  for (const [code, place] of focus) {
    slotOf[code] = place + 1;
    palette.set([...colourAt(place, colours, theme), 255], 4 * (place + 1));
  }
  const codes = column.values as Uint8Array | Uint16Array;
  const slots = new Uint8Array(codes.length);
  for (let row = 0; row < codes.length; row++) slots[row] = slotOf[codes[row]];
  return { slots, palette, css: (code) => cssOf(palette, slotOf[code]), gradient: [] };
}

export function colourNumbers(column: Column, sequence: string[], theme: Theme): Colouring {
  const palette = emptyPalette(theme);
  // The end of the scale that would vanish on this ground is left out.
  const [first, last] = theme.dark ? [0.16, 1] : [0, 0.9];
  for (let slot = 1; slot < 256; slot++) {
    const share = first + ((slot - 1) / 254) * (last - first);
    palette.set([...rgb(sequence[Math.round(share * (sequence.length - 1))]), 255], 4 * slot);
  }
  const values = column.values as Float32Array;
  const slots = new Uint8Array(values.length);
  const scale = 254 / (column.high - column.low || 1);
  for (let row = 0; row < values.length; row++) {
    const step = (values[row] - column.low) * scale;
    slots[row] = Number.isNaN(step) ? CONTEXT : 1 + Math.max(0, Math.min(254, Math.round(step)));
  }
  const gradient = Array.from({ length: 9 }, (_, at) => cssOf(palette, 1 + Math.round((at / 8) * 254)));
  return { slots, palette, css: () => "", gradient };
}

/** The palette's own colours, then their deeper shades, then hues that lie far from the one before. */
function colourAt(place: number, colours: string[], theme: Theme): [number, number, number] {
  const own = rgb(colours[place % colours.length]);
  if (place < colours.length) return own;
  if (place < FOCUS) return mix(own, theme.text, 0.45);
  const hue = ((place * 137.508) % 360) / 30; // the golden angle
  const light = (shift: number): number => {
    const at = (shift + hue) % 12;
    return Math.round(255 * (0.5 - 0.3 * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  };
  return [light(0), light(8), light(4)];
}

function emptyPalette(theme: Theme): Uint8Array {
  const palette = new Uint8Array(256 * 4);
  palette.set([...mix(theme.ground, theme.text, 0.4), 150], 0);
  return palette;
}

function cssOf(palette: Uint8Array, slot: number): string {
  return `rgb(${palette[4 * slot]} ${palette[4 * slot + 1]} ${palette[4 * slot + 2]})`;
}

/** `#rrggbb`, `rgb(...)` and `rgba(...)` as three bytes. */
export function rgb(colour: string): [number, number, number] {
  const hex = colour.trim().match(/^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i);
  if (hex) return [1, 2, 3].map((at) => Number.parseInt(hex[at], 16)) as [number, number, number];
  const short = colour.trim().match(/^#([0-9a-f])([0-9a-f])([0-9a-f])$/i);
  if (short) return [1, 2, 3].map((at) => 17 * Number.parseInt(short[at], 16)) as [number, number, number];
  const parts = colour.match(/[\d.]+/g) ?? ["128", "128", "128"];
  return [Number(parts[0]), Number(parts[1]), Number(parts[2])];
}

export function mix(a: number[], b: number[], share: number): [number, number, number] {
  return [0, 1, 2].map((at) => Math.round(a[at] * (1 - share) + b[at] * share)) as [number, number, number];
}

export function themeOf(element: Element): Theme {
  const style = getComputedStyle(element);
  const ground = rgb(style.getPropertyValue("--st-background-color") || "#ffffff");
  const text = rgb(style.getPropertyValue("--st-text-color") || "#31333f");
  return { ground, text, dark: ground[0] + ground[1] + ground[2] < 384 };
}
