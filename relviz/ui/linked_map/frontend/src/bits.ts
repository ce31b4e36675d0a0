// A selection on its way: one bit a row, least significant first, deflated, as base64.

export function pack(flags: Uint8Array, mask: number): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array((flags.length + 7) >> 3);
  for (let row = 0; row < flags.length; row++) if (flags[row] & mask) bits[row >> 3] |= 1 << (row & 7);
  return bits;
}

/** Sets or clears the mask in every flag as the bits say. */
export function unpack(bits: Uint8Array, flags: Uint8Array, mask: number): void {
  for (let row = 0; row < flags.length; row++) {
    if (bits[row >> 3] & (1 << (row & 7))) flags[row] |= mask;
    else flags[row] &= ~mask;
  }
}

export async function encode(bits: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bits]).stream().pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
