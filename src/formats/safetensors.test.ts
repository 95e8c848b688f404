import { describe, expect, it } from 'vitest';
import { floatsToBrainHalves, floatsToHalves, fromHalf } from './floats';
import { openSafetensors, parseSafetensors, writeSafetensors, type Tensor } from './safetensors';

/** A file with any header text, so that tests can lie in it. */
function fileOf(header: string, values: Uint8Array = new Uint8Array(0), length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + values.length);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  file.set(json, 8);
  file.set(values, 8 + json.length);
  return file;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const tensors = new Map<string, Tensor>([
  ['a', { shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 1e-20, 3e38, -0) }],
  ['scalar', { shape: [], data: Float32Array.of(7) }],
  ['empty', { shape: [0, 4], data: new Float32Array(0) }],
]);

describe('safetensors', () => {
  it('reads back what it wrote, bit for bit, from any byte offset', () => {
    const file = writeSafetensors(tensors, { made_by: 'test' });
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    const read = parseSafetensors(shifted.subarray(3));
    expect([...read.keys()]).toEqual(['a', 'scalar', 'empty']);
    for (const [name, tensor] of tensors) {
      expect(read.get(name)).toEqual({ ...tensor, dtype: 'F32' });
    }
    expect(parseSafetensors(Buffer.from(shifted).subarray(3))).toEqual(read);
    expect(openSafetensors(file).metadata).toEqual({ format: 'pt', made_by: 'test' });
    expect(Number(new DataView(file.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  it('reads a file laid out by hand from the format’s description', () => {
    const values = new Uint8Array(8);
    new DataView(values.buffer).setUint16(0, 0x3e00, true); // f16 1.5
    new DataView(values.buffer).setUint16(2, 0xc100, true); // f16 -2.5
    new DataView(values.buffer).setUint16(4, 0x3fc0, true); // bf16 1.5
    new DataView(values.buffer).setUint16(6, 0xc020, true); // bf16 -2.5
    const header = { h: entry(0, 4, [2], 'F16'), b: entry(4, 8, [1, 2], 'BF16') };
    const read = parseSafetensors(fileOf(JSON.stringify(header), values));
    expect(read.get('h')).toEqual({ dtype: 'F16', shape: [2], data: Float32Array.of(1.5, -2.5) });
    expect(read.get('b')).toEqual({ dtype: 'BF16', shape: [1, 2], data: Float32Array.of(1.5, -2.5) });
  });

  it.each(['F16', 'BF16'] as const)('writes %s within half a unit in the last place', (dtype) => {
    const data = Float32Array.from({ length: 500 }, (_, i) => Math.sin(i * 12.9898) * 10 ** ((i % 9) - 5));
    const read = parseSafetensors(writeSafetensors(new Map([['w', { shape: [500], data }]]), {}, dtype));
    const relative = dtype === 'F16' ? 2 ** -11 : 2 ** -8;
    read.get('w')!.data.forEach((value, i) => {
      const allowed = Math.max(Math.abs(data[i]!) * relative, dtype === 'F16' ? 2 ** -25 : 0);
      expect(Math.abs(value - data[i]!)).toBeLessThanOrEqual(allowed * 1.0001);
    });
  });

  it('turns every f16 and bf16 into f32 and back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const half = fromHalf(bits);
      if (!Number.isNaN(half)) expect(floatsToHalves(Float32Array.of(half))[0]).toBe(bits);
      const brain = new Float32Array(Uint32Array.of(bits << 16).buffer);
      if (!Number.isNaN(brain[0])) expect(floatsToBrainHalves(brain)[0]).toBe(bits);
    }
  });

  it('rounds halves to even and overflows to infinity', () => {
    const halves = floatsToHalves(Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25));
    expect([...halves]).toEqual([0x3c00, 0x3c02, 0x7bff, 0x7c00, 0]);
  });

  it('never writes a shape that does not fit, or a value that is not finite', () => {
    const of = (shape: number[], ...values: number[]) =>
      new Map([['w', { shape, data: Float32Array.from(values) }]]);
    expect(() => writeSafetensors(of([3], 1, 2))).toThrow('"w" of shape [3] has 2 values');
    expect(() => writeSafetensors(of([1], NaN))).toThrow('"w" holds a value that is not finite');
  });

  const bytes = (count: number) => new Uint8Array(count);
  const nan = new Uint8Array(Float32Array.of(1, NaN).buffer);
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', bytes(0), /too few/],
    ['a header beyond the file', fileOf('{}', bytes(0), 1000n), /cut off/],
    ['a header beyond 100 MB', fileOf('{}', bytes(0), 2n ** 63n), /above 100 MB/],
    ['a header that is no JSON', fileOf('{"a":'), /must be JSON/],
    ['a header that is no UTF-8', fileOf('{}').map((b, i) => (i === 8 ? 0xff : b)), /UTF-8/],
    ['a list as header', fileOf('[1, 2]'), /JSON object/],
    ['an overlap', fileOf(JSON.stringify({ a: entry(0, 8), b: entry(4, 12) }), bytes(12)), /"b" overlaps/],
    [
      'a gap',
      fileOf(JSON.stringify({ a: entry(0, 4), b: entry(8, 12) }), bytes(12)),
      /gap before tensor "b"/,
    ],
    ['a gap at the start', fileOf(JSON.stringify({ a: entry(4, 8) }), bytes(8)), /gap before tensor "a"/],
    ['reversed offsets', fileOf(JSON.stringify({ a: entry(8, 0, [2]) }), bytes(8)), /ends before it begins/],
    ['missing values', fileOf(JSON.stringify({ a: entry(0, 16) }), bytes(12)), /cut off/],
    ['values of nobody', fileOf(JSON.stringify({ a: entry(0, 4) }), bytes(12)), /8 bytes after/],
    ['a wrong size', fileOf(JSON.stringify({ a: entry(0, 8, [3]) }), bytes(8)), /shape \[3\] does not fit/],
    [
      'a huge shape',
      fileOf(JSON.stringify({ a: entry(0, 4, [2 ** 40, 2 ** 40]) }), bytes(4)),
      /does not fit/,
    ],
    ['1e308', fileOf('{"a":{"dtype":"F32","shape":[1e308],"data_offsets":[0,4]}}', bytes(4)), /shape\[0\]/],
    [
      'a fraction',
      fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4.5]}}', bytes(4)),
      /data_offsets/,
    ],
    [
      'a negative offset',
      fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}'),
      /data_offsets\[0\]/,
    ],
    ['another dtype', fileOf(JSON.stringify({ a: entry(0, 4, [1], 'I32') }), bytes(4)), /dtype I32/],
    [
      'a missing dtype',
      fileOf('{"a":{"shape":[1],"data_offsets":[0,4]}}', bytes(4)),
      /dtype must be a text, but it is missing/,
    ],
    ['an unknown field', fileOf('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}}'), /"x"/],
    ['__proto__', fileOf('{"__proto__":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'), /__proto__/],
    ['NaN', fileOf(JSON.stringify({ w: entry(0, 8) }), nan), /"w" holds NaN at element 1/],
    [
      'a name twice',
      fileOf(
        '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
      ),
      /names "a" twice/,
    ],
  ])('refuses %s in one sentence', (_, file, message) => {
    expect(() => parseSafetensors(file, 'm.safetensors')).toThrow(message);
    expect(() => parseSafetensors(file, 'm.safetensors')).toThrow(/^m\.safetensors/);
  });

  it('opens a file with a tensor of another dtype as long as nobody needs it', () => {
    const header = JSON.stringify({ ids: entry(0, 8, [1], 'I64'), w: entry(8, 12) });
    expect(openSafetensors(fileOf(header, bytes(12))).tensors.size).toBe(2);
  });
});
