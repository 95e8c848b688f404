import { expect, test } from 'vitest';
import { entryPointsOf, usageOf } from './wgsl-usage';

const code = `
alias Pair = vec2f;
const TILE = 8u;
const LANES = TILE * (TILE / 2u + 1u); // 40
@group(0) @binding(0) var<uniform> params: vec4u;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// @group(0) @binding(9) var<storage> commented_out: array<f32>;
@group(0) @binding(2) var<storage, read> other: array<f32>;
var<workgroup> pairs: array<Pair, LANES>;
var<workgroup> triples: array<array<vec3f, 3>, select(1u, TILE, TILE > 4u)>;

fn indirect(i: u32) -> f32 { if (i > 0u) { return x[i]; } return pairs[0].y; }

@compute @workgroup_size(TILE, LANES / 10u)
fn first(@builtin(local_invocation_index) i: u32) { y[i] = indirect(i) + f32(params.x); }

@compute @workgroup_size(64)
fn second(@builtin(local_invocation_index) i: u32) { triples[0][0].x = other[i]; }
`;

test('reads bindings, workgroup memory and invocations of each entry point', () => {
  expect(entryPointsOf(code)).toEqual(['first', 'second']);
  expect(usageOf({ name: '', code, entryPoint: 'first' })).toEqual({
    uniformBindings: [0],
    storageBindings: [1, 2],
    workgroupBytes: 40 * 8,
    invocations: 32,
  });
  expect(usageOf({ name: '', code, entryPoint: 'second' })).toEqual({
    uniformBindings: [],
    storageBindings: [2],
    workgroupBytes: 8 * 3 * 16,
    invocations: 64,
  });
});
