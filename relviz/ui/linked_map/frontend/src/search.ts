// Rows by what one types: an id, a class, or a piece of text.

import type { Column } from "./colours";

export interface Searched {
  ids: Uint32Array | string[];
  columns: Column[];
}

/** A row whose id is exactly this, else all rows of the classes and texts that contain it. */
export function search(query: string, { ids, columns }: Searched): number[] {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [];
  const byId = idRow(wanted, ids);
  if (byId >= 0) return [byId];
  const found = new Set<number>();
  for (const column of columns) {
    if (column.kind === "classes") addClasses(column, wanted, found);
    if (column.kind === "texts") addTexts(column.values as string[], wanted, found);
  }
  return [...found].sort((a, b) => a - b);
}

function idRow(wanted: string, ids: Uint32Array | string[]): number {
  if (Array.isArray(ids)) return ids.findIndex((id) => id.toLowerCase() === wanted);
  return /^\d+$/.test(wanted) ? ids.indexOf(Number(wanted)) : -1;
}

/** The classes whose names contain what is typed. */
export function classesOf(column: Column, query: string): number[] {
  const wanted = query.trim().toLowerCase();
  return column.names.flatMap((name, code) => (wanted && name.toLowerCase().includes(wanted) ? [code] : []));
}

function addClasses(column: Column, wanted: string, found: Set<number>): void {
  const hits = new Set(classesOf(column, wanted));
  if (hits.size) (column.values as Uint16Array).forEach((code, row) => hits.has(code) && found.add(row));
}

function addTexts(texts: string[], wanted: string, found: Set<number>): void {
  texts.forEach((text, row) => text.toLowerCase().includes(wanted) && found.add(row));
}
