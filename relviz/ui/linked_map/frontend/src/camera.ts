// Where a map looks: the centre in window units and how many times the window is enlarged.

export interface Camera {
  x: number;
  y: number;
  zoom: number;
}

export interface Size {
  width: number;
  height: number;
}

export const HOME: Camera = { x: 0.5, y: 0.5, zoom: 1 };
const CLOSEST = 4000;

export function toScreen(camera: Camera, size: Size, u: number, v: number): [number, number] {
  return [
    size.width * (0.5 + (u - camera.x) * camera.zoom),
    size.height * (0.5 - (v - camera.y) * camera.zoom),
  ];
}

export function toWindow(camera: Camera, size: Size, px: number, py: number): [number, number] {
  return [
    camera.x + (px / size.width - 0.5) / camera.zoom,
    camera.y - (py / size.height - 0.5) / camera.zoom,
  ];
}

/** The camera enlarged by a factor, with the point under the pointer staying where it is. */
export function zoomed(camera: Camera, size: Size, px: number, py: number, factor: number): Camera {
  const [u, v] = toWindow(camera, size, px, py);
  const zoom = Math.min(CLOSEST, Math.max(0.5, camera.zoom * factor));
  const kept = camera.zoom / zoom;
  return { x: u + (camera.x - u) * kept, y: v + (camera.y - v) * kept, zoom };
}

export function panned(camera: Camera, size: Size, dx: number, dy: number): Camera {
  return {
    ...camera,
    x: camera.x - dx / size.width / camera.zoom,
    y: camera.y + dy / size.height / camera.zoom,
  };
}

/** The camera that shows a point; the same one when the point is in sight already. */
export function showing(camera: Camera, u: number, v: number): Camera {
  const reach = 0.48 / camera.zoom;
  const seen = Math.abs(u - camera.x) <= reach && Math.abs(v - camera.y) <= reach;
  return seen ? camera : { ...camera, x: u, y: v };
}
