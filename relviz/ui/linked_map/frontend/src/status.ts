// What is shown now: in words for the visitor, in values for tests and benchmarks.

import { count } from "./dom";
import type { Model } from "./model";
import { traffic } from "./parcels";
import type { Stage } from "./stage";

export function statusOf(model: Model, stage: Stage): string {
  const limit = stage.renderer.limit;
  const drawn = limit < model.rows ? `${count(limit)} of ${count(model.rows)} samples drawn: no WebGL here` : "";
  const chosen = model.count();
  const words = chosen ? `${count(chosen)} of ${count(model.rows)} selected` : `${count(model.rows)} samples`;
  const anchors = (stage.anchors[0]?.length ?? 0) / 2;
  const marked = anchors && stage.anchored ? `◇ ${count(anchors)} anchors` : "";
  return [drawn, words, marked].filter(Boolean).join(" · ");
}

export function stateOf(model: Model, stage: Stage): Record<string, unknown> {
  return {
    rows: model.rows,
    renderer: stage.renderer.name,
    mode: stage.mode,
    moving: stage.moving,
    hovered: model.hovered,
    clicked: model.clicked,
    selected: model.count(),
    selection: model.selectedRows(10_000),
    anchors: stage.anchors.map((uv) => uv.length / 2),
    panes: stage.panes.map((pane) => ({ layers: pane.layers, camera: pane.camera, place: pane.place, size: pane.size })),
    traffic: { ...traffic },
  };
}
