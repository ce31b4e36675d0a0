// Points by WebGL 2: coordinates, colour slots and flags lie in buffers; a new colour or selection sends one byte a row.
//
// WebGL draws beside the page, and what it has drawn is copied onto the canvas that is seen: where Chromium composes
// pages without a GPU, a transparent WebGL canvas that is half out of sight loses from its lower end as much as is
// hidden of its upper one, so that scrolling took the points away.

import { element } from "./dom";
import { DIM, type Frame, HIDDEN, type Ink, type Layer, type Look, type Renderer, SELECTED } from "./render";

const VERTEX = `#version 300 es
layout(location = 0) in vec2 start;
layout(location = 1) in vec2 goal;
layout(location = 2) in uint slot;
layout(location = 3) in uint flags;
uniform vec2 centre;
uniform float zoom, share, size, alpha;
uniform bool choosing, raised;
uniform vec3 context;
uniform sampler2D palette;
out vec4 colour;

void main() {
  bool selected = (flags & ${SELECTED}u) != 0u;
  if (selected != raised || (flags & ${HIDDEN}u) != 0u) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    return;
  }
  gl_Position = vec4((mix(start, goal, share) - centre) * 2.0 * zoom, 0.0, 1.0);
  gl_PointSize = size;
  vec4 own = texelFetch(palette, ivec2(int(slot), 0), 0);
  bool dim = choosing && !selected;
  colour = dim ? vec4(context, alpha * ${DIM}) : vec4(own.rgb, alpha * (selected ? 1.0 : own.a));
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour;
uniform float size, ring;
out vec4 ink;

void main() {
  float far = length(gl_PointCoord - 0.5) * size;
  float edge = 0.5 * size;
  float cover = clamp(edge - far + 0.5, 0.0, 1.0);
  if (ring > 0.0) cover *= clamp(far - (edge - ring) + 0.5, 0.0, 1.0);
  float depth = colour.a * cover;
  if (depth < 0.003) discard;
  ink = vec4(colour.rgb * depth, depth);
}`;

const NAMES = ["centre", "zoom", "share", "size", "alpha", "raised", "choosing", "context", "palette", "ring"] as const;

export class WebglRenderer implements Renderer {
  readonly name = "webgl";
  readonly limit = Infinity;
  private readonly canvas: HTMLCanvasElement; // beside the page
  private readonly pen: CanvasRenderingContext2D;
  private ratio = 1;
  private rows = 0;
  private selected = false;
  private views: WebGLBuffer[] = [];
  private readonly places: Record<(typeof NAMES)[number], WebGLUniformLocation | null>;
  private readonly slots: WebGLBuffer;
  private readonly flags: WebGLBuffer;

  /** A renderer for a canvas, if there is WebGL; `lost` is called when the browser takes it away. */
  static on(canvas: HTMLCanvasElement, lost: () => void): WebglRenderer | null {
    const gl = element("canvas").getContext("webgl2", { antialias: false, premultipliedAlpha: true });
    return gl && new WebglRenderer(gl, canvas, lost);
  }

  private constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly seen: HTMLCanvasElement,
    private readonly lost: () => void,
  ) {
    this.canvas = gl.canvas as HTMLCanvasElement;
    this.canvas.addEventListener("webglcontextlost", lost);
    this.pen = seen.getContext("2d") as CanvasRenderingContext2D;
    const program = compile(gl);
    gl.useProgram(program);
    this.places = Object.fromEntries(NAMES.map((name) => [name, gl.getUniformLocation(program, name)])) as never;
    [this.slots, this.flags] = [gl.createBuffer(), gl.createBuffer()];
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.enable(gl.SCISSOR_TEST);
    for (const at of [0, 1, 2, 3]) gl.enableVertexAttribArray(at);
  }

  resize(width: number, height: number, ratio: number): void {
    this.ratio = ratio;
    for (const canvas of [this.canvas, this.seen]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    this.pen.globalCompositeOperation = "copy"; // a new size has taken it back
  }

  setPositions(views: Float32Array[]): void {
    for (const buffer of this.views) this.gl.deleteBuffer(buffer);
    this.views = views.map((uv) => this.fill(this.gl.createBuffer(), uv));
    this.rows = views.length ? views[0].length / 2 : 0;
  }

  setColours(slots: Uint8Array, palette: Uint8Array): void {
    const { gl } = this;
    this.fill(this.slots, slots);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette);
  }

  setFlags(flags: Uint8Array): void {
    this.fill(this.flags, flags);
    this.selected = flags.some((flag) => (flag & SELECTED) !== 0);
  }

  draw(frames: Frame[], looks: Look[], ink: Ink): void {
    const { gl } = this;
    gl.scissor(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform3fv(this.places.context, ink.context);
    gl.uniform1i(this.places.choosing, Number(this.selected));
    if (this.rows) frames.forEach((frame, at) => this.drawFrame(frame, looks[at]));
    this.pen.drawImage(this.canvas, 0, 0);
  }

  destroy(): void {
    this.canvas.removeEventListener("webglcontextlost", this.lost);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  private drawFrame(frame: Frame, look: Look): void {
    const { gl, ratio } = this;
    const bottom = this.canvas.height - Math.round((frame.top + frame.height) * ratio);
    const box = [Math.round(frame.left * ratio), bottom, Math.round(frame.width * ratio), Math.round(frame.height * ratio)];
    gl.viewport(box[0], box[1], box[2], box[3]);
    gl.scissor(box[0], box[1], box[2], box[3]);
    gl.uniform2f(this.places.centre, frame.camera.x, frame.camera.y);
    gl.uniform1f(this.places.zoom, frame.camera.zoom);
    for (const raised of [false, true]) for (const layer of frame.layers) this.drawLayer(layer, look, raised);
  }

  /** Plain rows, or the selected ones that are raised above them. */
  private drawLayer(layer: Layer, look: Look, raised: boolean): void {
    if (raised && !this.selected) return;
    const { gl, places, ratio } = this;
    const size = raised ? look.size + 0.8 : look.size;
    this.attach(0, this.views[layer.from]);
    this.attach(1, this.views[layer.to]);
    this.attachBytes(2, this.slots);
    this.attachBytes(3, this.flags);
    gl.uniform1f(places.share, layer.share);
    gl.uniform1f(places.size, (layer.ring ? size + 2 : size) * ratio);
    gl.uniform1f(places.ring, layer.ring ? 1.2 * ratio : 0);
    gl.uniform1f(places.alpha, raised ? Math.max(0.9, look.alpha) : look.alpha);
    gl.uniform1i(places.raised, Number(raised));
    gl.drawArrays(gl.POINTS, 0, this.rows);
  }

  private attach(at: number, buffer: WebGLBuffer): void {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.vertexAttribPointer(at, 2, this.gl.FLOAT, false, 0, 0);
  }

  private attachBytes(at: number, buffer: WebGLBuffer): void {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.vertexAttribIPointer(at, 1, this.gl.UNSIGNED_BYTE, 0, 0);
  }

  private fill(buffer: WebGLBuffer, values: Float32Array | Uint8Array): WebGLBuffer {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values, this.gl.DYNAMIC_DRAW);
    return buffer;
  }
}

function compile(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind) as WebGLShader;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "no program");
  return program;
}
