import { describe, expect, it } from 'vitest';
import { packUniforms, uniformFields } from './uniforms';

const code = `
struct Other { rows: f32 }
struct Sizes {
  rows: u32, // M, by the caller
  // Element of \`gates\`.
  layer_gate: u32,
  epsilon: f32,
}
@group(0) @binding(0) var<uniform> sizes: Sizes;
`;
const values = { epsilon: 1e-5, rows: 7, layerGate: true };

describe('uniforms', () => {
  it('go where the shader has them, whatever order the host names them in', () => {
    const words = packUniforms('test', code, values);
    expect([...words.subarray(0, 2)]).toEqual([7, 1]);
    expect(new Float32Array(words.buffer)[2]).toBe(Math.fround(1e-5));
  });

  it('may be vectors, in front', () => {
    const vectors = code.replace('rows: u32,', 'rows: vec4u,');
    const words = packUniforms('test', vectors, { ...values, rows: [4, 5, 6, 7] });
    expect([...words.subarray(0, 5)]).toEqual([4, 5, 6, 7, 1]);
    expect(() => packUniforms('test', vectors, { ...values, rows: [4, 5, 6] })).toThrow(/no vec4u/);
    expect(() => packUniforms('test', vectors, { ...values, rows: [4, 5, 6, -7] })).toThrow(/no vec4u/);
    expect(() => uniformFields(code.replace('epsilon: f32', 'epsilon: vec4u'))).toThrow(/vectors come first/);
  });

  it('without a struct at binding 0 are none', () => {
    expect(uniformFields('@group(0) @binding(1) var<storage> x: array<f32>;')).toEqual([]);
    expect(packUniforms('test', '', {})).toHaveLength(0);
  });

  it.each([
    [{ rows: 7, epsilon: 1 }, /test: no value for the uniforms layerGate/],
    [{ ...values, layer_gate: 1 }, /test: the shader has no uniforms layer_gate/],
    [{ ...values, rows: 1.5 }, /test: rows is 1.5, which is no u32/],
    [{ ...values, rows: -1 }, /rows is -1/],
    [{ ...values, rows: 2 ** 32 }, /rows is 4294967296/],
    [{ ...values, rows: Number.NaN }, /rows is NaN/],
  ])('are refused: %o', (wrong, message) => {
    expect(() => packUniforms('test', code, wrong)).toThrow(message);
  });

  it('of other types are refused', () => {
    expect(() => uniformFields(code.replace('epsilon: f32', 'epsilon: vec4f'))).toThrow(/not epsilon: vec4f/);
  });
});
