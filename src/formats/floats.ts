/**
 * Half-precision formats and f32, in bits. WebGPU hosts are little-endian, as safetensors files are, so
 * typed arrays read the bytes as they lie.
 */

/** f16 (1 sign, 5 exponent, 10 fraction bits) as a number. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let halfValues: Float32Array | null = null;

/** Every f16 as f32: 65,536 entries, made on first use. */
function halfTable(): Float32Array {
  return (halfValues ??= Float32Array.from({ length: 65536 }, (_, bits) => fromHalf(bits)));
}

export function halvesToFloats(halves: Uint16Array): Float32Array {
  const table = halfTable();
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = table[halves[i]!]!;
  return floats;
}

/** bf16 is the upper half of an f32. */
export function brainHalvesToFloats(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

/** f32 to f16, round to nearest even; magnitudes above 65,504 become infinite. */
export function floatsToHalves(floats: Float32Array): Uint16Array {
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const halves = new Uint16Array(floats.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude >= 0x7f800000) {
      halves[i] = sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
    } else if (magnitude < 0x38800000) {
      // Below 2^-14 an f16 is a multiple of 2^-24; a float64 sum does the rounding to even.
      const scaled = Math.abs(floats[i]!) * 2 ** 24;
      const floor = Math.floor(scaled);
      const rest = scaled - floor;
      halves[i] = sign | (floor + (rest > 0.5 || (rest === 0.5 && (floor & 1) === 1) ? 1 : 0));
    } else {
      const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1);
      halves[i] = sign | Math.min(rounded >>> 13, 0x7c00);
    }
  }
  return halves;
}

/** f32 to bf16, round to nearest even. */
export function floatsToBrainHalves(floats: Float32Array): Uint16Array {
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const halves = new Uint16Array(floats.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    halves[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** Index of the first NaN or infinity, or -1. */
export function firstNonFinite(floats: Float32Array): number {
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  for (let i = 0; i < words.length; i++) {
    if ((words[i]! & 0x7f800000) === 0x7f800000) return i;
  }
  return -1;
}
