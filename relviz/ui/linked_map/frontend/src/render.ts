// What a renderer of points must be able to do. There are two: WebGL, and a 2-D canvas where there is no WebGL.

import type { Camera } from "./camera";

export const SELECTED = 1;
export const HIDDEN = 2;

/** One set of points in a map: the way from one view to another, usually the same one. */
export interface Layer {
  from: number;
  to: number;
  share: number; // of the way, in [0, 1]
  ring: boolean; // hollow points tell the second layer of an overlay from the first
}

export interface Frame {
  left: number; // CSS pixels from the stage's corner
  top: number;
  width: number;
  height: number;
  camera: Camera;
  layers: Layer[];
}

export interface Look {
  size: number; // diameter in CSS pixels
  alpha: number;
}

export interface Ink {
  context: [number, number, number]; // of rows that are not meant
}

export interface Renderer {
  readonly name: string;
  readonly limit: number; // most points that are drawn in one map
  resize(width: number, height: number, ratio: number): void;
  setPositions(views: Float32Array[]): void;
  setColours(slots: Uint8Array, palette: Uint8Array): void;
  setFlags(flags: Uint8Array): void;
  draw(frames: Frame[], looks: Look[], ink: Ink): void;
  destroy(): void;
}

/** Smaller and fainter points where there are many: crowded places grow dense, single points stay visible. */
export function lookOf(rows: number, frame: Frame): Look {
  const size = Math.min(7, Math.max(1.4, Math.min(4.4, 3.8 * (4000 / rows) ** 0.2)) * frame.camera.zoom ** 0.25);
  const cover = (rows * size * size) / frame.camera.zoom ** 2 / (0.3 * frame.width * frame.height + 1);
  return { size, alpha: Math.min(0.85, Math.max(0.12, 1.1 / Math.sqrt(cover))) };
}

export const DIM = 0.22; // share of its alpha that a row keeps while others are selected
