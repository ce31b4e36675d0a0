// One map by keyboard: arrows walk from row to row, Enter opens, Space selects, Escape clears, + and - zoom, 0 resets.

import { zoomed } from "./camera";
import type { Model } from "./model";
import type { Pane } from "./pane";
import type { Stage } from "./stage";

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

export function listenKeyboard(stage: Stage, pane: Pane, model: Model): void {
  pane.field.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || !press(event.key, stage, pane, model)) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has keys of its own
  };
}

function press(key: string, stage: Stage, pane: Pane, model: Model): boolean {
  const zoom = (factor: number): void =>
    stage.setCamera(pane, zoomed(pane.camera, pane.size, pane.size.width / 2, pane.size.height / 2, factor));
  if (key in ARROWS) stage.step(pane, ARROWS[key]);
  else if (key === "Enter") model.click(model.hovered);
  else if (key === " " && model.hovered >= 0) toggle(model);
  else if (key === "Escape") clear(model);
  else if (key === "+" || key === "=") zoom(1.4);
  else if (key === "-") zoom(1 / 1.4);
  else if (key === "0") stage.resetCameras();
  else return false;
  return true;
}

function toggle(model: Model): void {
  model.select([model.hovered], model.isSelected(model.hovered) ? "remove" : "add");
}

/** First the hovered and the clicked row, then the selection. */
function clear(model: Model): void {
  if (model.hovered < 0 && model.clicked < 0) return model.select([], "replace");
  model.hover(-1, -1);
  model.click(-1);
}
