// The mouse, a finger or a pen on one map: hovering, panning, zooming, lasso, box and click.

import { panned, zoomed } from "./camera";
import type { Model, Way } from "./model";
import type { Pane } from "./pane";
import type { Stage } from "./stage";

export type Tool = "pan" | "lasso" | "box";
export const times = { hovers: 0, worst: 0, total: 0 };
const STILL = 4; // pixels that a click may move

interface Drag {
  startX: number;
  startY: number;
  x: number;
  y: number;
  tool: Tool;
  way: Way;
  far: boolean;
}

export function listenPointer(stage: Stage, pane: Pane, model: Model, tool: () => Tool): void {
  const { field } = pane;
  let drag: Drag | null = null;
  field.onpointerdown = (event) => {
    if (event.button !== 0) return;
    field.setPointerCapture(event.pointerId);
    const [x, y] = placeOf(event, field);
    const way = event.shiftKey ? "add" : event.altKey ? "remove" : "replace";
    const chosen = way !== "replace" && tool() === "pan" ? "lasso" : tool();
    drag = { startX: x, startY: y, x, y, tool: chosen, way, far: false };
  };
  field.onpointermove = (event) => {
    if (drag) move(stage, pane, drag, placeOf(event, field));
    else hover(stage, pane, model, placeOf(event, field));
  };
  field.onpointerup = (event) => {
    if (drag) finish(stage, pane, model, drag, placeOf(event, field));
    drag = null;
  };
  field.onpointercancel = () => {
    drag = null;
    pane.path = [];
    stage.request(false);
  };
  field.onpointerleave = () => drag ?? model.hover(-1, -1);
  field.ondblclick = () => stage.resetCameras();
  field.onwheel = (event) => {
    event.preventDefault();
    const [x, y] = placeOf(event, field);
    stage.setCamera(pane, zoomed(pane.camera, pane.size, x, y, Math.exp(-event.deltaY / 400)));
  };
}

function hover(stage: Stage, pane: Pane, model: Model, [x, y]: [number, number]): void {
  const start = performance.now();
  model.hover(stage.rowAt(pane, x, y), pane.number);
  const took = performance.now() - start;
  times.hovers += 1;
  times.total += took;
  times.worst = Math.max(times.worst, took);
}

function move(stage: Stage, pane: Pane, drag: Drag, [x, y]: [number, number]): void {
  drag.far ||= Math.hypot(x - drag.startX, y - drag.startY) > STILL;
  if (drag.tool === "pan" && drag.far) stage.setCamera(pane, panned(pane.camera, pane.size, x - drag.x, y - drag.y));
  if (drag.tool === "box") pane.path = boxOf(drag, x, y);
  if (drag.tool === "lasso") {
    const last = pane.path.slice(-2);
    if (!last.length) pane.path.push(drag.startX, drag.startY);
    if (!last.length || Math.hypot(x - last[0], y - last[1]) > 2.5) pane.path.push(x, y);
  }
  [drag.x, drag.y] = [x, y];
  stage.request(false);
}

function finish(stage: Stage, pane: Pane, model: Model, drag: Drag, [x, y]: [number, number]): void {
  const path = pane.path;
  pane.path = [];
  if (!drag.far) {
    const row = stage.rowAt(pane, x, y);
    if (drag.way === "replace") model.click(row);
    else if (row >= 0) model.select([row], drag.way);
  } else if (drag.tool !== "pan") stage.selectInside(pane, path, drag.way);
  stage.request(false);
}

function boxOf(drag: Drag, x: number, y: number): number[] {
  return [drag.startX, drag.startY, x, drag.startY, x, y, drag.startX, y];
}

function placeOf(event: MouseEvent, field: HTMLElement): [number, number] {
  const box = field.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
