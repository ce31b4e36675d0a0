// What travels from Python, on both sides described once: `protocol.py` writes what this file reads.
//
// The element's `data` is a small JSON message that names parcels by key. A parcel is fetched once from
// `maps/<key>`; its key follows from its content, so it never changes and stays in the browser's cache:
//
//   bytes 0 to 3     "RVM1"
//   bytes 4 to 7     length of the header, little-endian
//   header           JSON: { meta, columns: [{ name, type, at, count }] }, padded to a multiple of eight bytes
//   columns          little-endian, each at `at` bytes behind the header, aligned to eight bytes
//
// Types: u8, u16, u32, f32 (count numbers) and json (count bytes of UTF-8).
// Picture pages are fetched the same way, as plain PNG files.

export interface ViewSpec {
  title: string;
  badge: string;
  hue: string;
  key: string;
  anchors: string; // key of the anchors' coordinates, which are none of the rows
}

export interface ColumnSpec {
  name: string;
  kind: "classes" | "numbers" | "texts";
  key: string;
}

export interface PictureSpec {
  pages: string[];
  width: number;
  height: number;
  columns: number;
  perPage: number;
}

export interface Message {
  name: string;
  rows: number;
  height: number;
  ids: string;
  views: ViewSpec[];
  columns: ColumnSpec[];
  colour: string;
  card: string[];
  pictures: PictureSpec | null;
  selection: { key: string; turn: number } | null;
  morph: { pairs: [number, number][]; names: [string, string] } | null;
  overlay: [number, number] | null;
  palette: { classes: string[]; sequence: string[] };
}

export type Values = Uint8Array | Uint16Array | Uint32Array | Float32Array | string[];

export interface Parcel {
  meta: Record<string, unknown>;
  columns: Record<string, Values>;
  bytes: number;
}

interface Place {
  name: string;
  type: "u8" | "u16" | "u32" | "f32" | "json";
  at: number;
  count: number;
}

const MAGIC = 0x314d5652; // "RVM1" read as a little-endian number

export function parse(body: ArrayBuffer): Parcel {
  const start = new Uint32Array(body, 0, 2);
  if (start[0] !== MAGIC) throw new Error("These are no map data.");
  const header = JSON.parse(text(body, 8, start[1])) as { meta: Record<string, unknown>; columns: Place[] };
  const columns: Record<string, Values> = {};
  for (const place of header.columns) columns[place.name] = column(body, 8 + start[1] + place.at, place);
  return { meta: header.meta, columns, bytes: body.byteLength };
}

function column(body: ArrayBuffer, at: number, place: Place): Values {
  switch (place.type) {
    case "u8":
      return new Uint8Array(body, at, place.count);
    case "u16":
      return new Uint16Array(body, at, place.count);
    case "u32":
      return new Uint32Array(body, at, place.count);
    case "f32":
      return new Float32Array(body, at, place.count);
    case "json":
      return JSON.parse(text(body, at, place.count)) as string[];
  }
}

function text(body: ArrayBuffer, at: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(body, at, length));
}

/** Coordinates as `u, v, u, v, ...` in [0, 1] of the view's window, whether they came as 16-bit steps or as floats. */
export function positions(parcel: Parcel): Float32Array {
  const x = parcel.columns.x as Uint16Array | Float32Array;
  const y = parcel.columns.y as Uint16Array | Float32Array;
  const step = x instanceof Uint16Array ? 1 / 65535 : 1;
  const uv = new Float32Array(2 * x.length);
  for (let row = 0; row < x.length; row++) {
    uv[2 * row] = x[row] * step;
    uv[2 * row + 1] = y[row] * step;
  }
  return uv;
}
