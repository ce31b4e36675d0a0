// Points on a plain 2-D canvas, for browsers without WebGL: every map draws at most `limit` rows, and the page says so.

import { DIM, type Frame, HIDDEN, type Ink, type Look, type Renderer, SELECTED } from "./render";
import { toScreen } from "./camera";

export class CanvasRenderer implements Renderer {
  readonly name = "canvas";
  readonly limit = 20_000;
  private readonly pen: CanvasRenderingContext2D;
  private views: Float32Array[] = [];
  private slots: Uint8Array = new Uint8Array();
  private palette: Uint8Array = new Uint8Array();
  private flags: Uint8Array = new Uint8Array();
  private ratio = 1;
  private selected = false;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  }

  resize(width: number, height: number, ratio: number): void {
    this.ratio = ratio;
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
  }

  setPositions(views: Float32Array[]): void {
    this.views = views;
  }

  setColours(slots: Uint8Array, palette: Uint8Array): void {
    [this.slots, this.palette] = [slots, palette];
  }

  setFlags(flags: Uint8Array): void {
    this.flags = flags;
    this.selected = flags.some((flag) => (flag & SELECTED) !== 0);
  }

  draw(frames: Frame[], looks: Look[], ink: Ink): void {
    this.pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    frames.forEach((frame, at) => this.drawFrame(frame, looks[at], ink));
    this.pen.globalAlpha = 1;
  }

  destroy(): void {
    this.canvas.width = 1;
  }

  private drawFrame(frame: Frame, look: Look, ink: Ink): void {
    if (!this.views.length) return;
    const { pen } = this;
    pen.save();
    pen.beginPath();
    pen.rect(frame.left, frame.top, frame.width, frame.height);
    pen.clip();
    pen.translate(frame.left, frame.top);
    const rows = this.slots.length;
    const step = Math.max(1, Math.ceil(rows / this.limit));
    for (let row = 0; row < rows; row += step) if (!(this.flags[row] & SELECTED)) this.dot(row, frame, look, ink);
    if (this.selected) for (let row = 0; row < rows; row += step) if (this.flags[row] & SELECTED) this.dot(row, frame, look, ink);
    pen.restore();
  }

  private dot(row: number, frame: Frame, look: Look, ink: Ink): void {
    const flag = this.flags[row];
    if (flag & HIDDEN) return;
    const { pen, palette } = this;
    const dim = this.selected && !(flag & SELECTED);
    const at = 4 * this.slots[row];
    const tone = dim ? ink.context.map((part) => 255 * part) : [palette[at], palette[at + 1], palette[at + 2]];
    pen.globalAlpha = (flag & SELECTED ? Math.max(0.9, look.alpha) : look.alpha) * (dim ? DIM : palette[at + 3] / 255);
    pen.fillStyle = `rgb(${tone[0] | 0} ${tone[1] | 0} ${tone[2] | 0})`;
    for (const layer of frame.layers) {
      const [from, to, share] = [this.views[layer.from], this.views[layer.to], layer.share];
      const u = from[2 * row] * (1 - share) + to[2 * row] * share;
      const v = from[2 * row + 1] * (1 - share) + to[2 * row + 1] * share;
      const [x, y] = toScreen(frame.camera, frame, u, v);
      if (x < -9 || y < -9 || x > frame.width + 9 || y > frame.height + 9) continue;
      if (layer.ring) this.circle(x, y, look.size);
      else pen.fillRect(x - look.size / 2, y - look.size / 2, look.size, look.size);
    }
  }

  private circle(x: number, y: number, size: number): void {
    const { pen } = this;
    pen.beginPath();
    pen.arc(x, y, size / 2, 0, 2 * Math.PI);
    pen.strokeStyle = pen.fillStyle;
    pen.lineWidth = 1;
    pen.stroke();
  }
}
