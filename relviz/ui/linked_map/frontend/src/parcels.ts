// Fetching parcels and picture pages once each. Keys follow from content, so nothing here ever goes stale.

import { type Parcel, parse, positions } from "./protocol";

const LIMIT = 512 * 2 ** 20; // bytes kept in memory; the browser's own cache keeps more on disk
const parcels = new Map<string, Promise<Parcel>>();
const pages = new Map<string, Promise<ImageBitmap>>();
const uvs = new WeakMap<Parcel, Float32Array>(); // decoded once, so that equal data stay the same array
export const traffic = { bytes: 0, requests: 0 };

/** The server no longer has a parcel; Python is asked to offer it again. */
export class Gone extends Error {}

export async function parcel(key: string): Promise<Parcel> {
  const found = await remembered(parcels, key, async () => parse(await (await ask(key)).arrayBuffer()));
  weigh(key, found.bytes);
  return found;
}

/** The positions that a parcel holds. */
export function uvOf(found: Parcel): Float32Array {
  const known = uvs.get(found) ?? positions(found);
  uvs.set(found, known);
  return known;
}

export function page(key: string): Promise<ImageBitmap> {
  return remembered(pages, key, async () => createImageBitmap(await (await ask(key)).blob()));
}

async function ask(key: string): Promise<Response> {
  const answer = await fetch(new URL(`../../../maps/${key}`, import.meta.url));
  if (!answer.ok) throw new Gone(`The server has no map data called ${key.slice(0, 8)} any more.`);
  traffic.requests += 1;
  return answer;
}

function remembered<T>(store: Map<string, Promise<T>>, key: string, load: () => Promise<T>): Promise<T> {
  const known = store.get(key);
  if (known) {
    store.delete(key); // and back at the end: least recently used first
    store.set(key, known);
    return known;
  }
  const asked = load();
  store.set(key, asked);
  asked.then(
    () => forget(),
    () => store.delete(key),
  );
  return asked;
}

let sizes = new Map<string, number>();

/** Notes what a parcel weighs, and drops the least recently used beyond the limit. */
function weigh(key: string, bytes: number): void {
  if (!sizes.has(key)) traffic.bytes += bytes;
  sizes.set(key, bytes);
  forget();
}

function forget(): void {
  let total = 0;
  for (const key of parcels.keys()) total += sizes.get(key) ?? 0;
  for (const key of [...parcels.keys()]) {
    if (total <= LIMIT) break;
    total -= sizes.get(key) ?? 0;
    parcels.delete(key);
  }
  for (const key of [...pages.keys()].slice(0, Math.max(0, pages.size - 64))) pages.delete(key);
  sizes = new Map([...sizes].filter(([key]) => parcels.has(key)));
}
