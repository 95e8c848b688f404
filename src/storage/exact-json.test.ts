import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exactJson } from './exact-json';

test('reads back as the same value, signs of zero included', () => {
  expect(exactJson({ a: [-0] })).toBe('{"a":[-0]}');
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      expect(JSON.parse(exactJson(value))).toStrictEqual(value);
    }),
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Object.is(JSON.parse(exactJson(value)), value)).toBe(true);
    }),
  );
});

test('what JSON cannot hold is named by where it stands', () => {
  expect(() => exactJson({ optimiser: { rates: [1, NaN] } }, 'state')).toThrow(
    'state.optimiser.rates[1] is NaN, which JSON cannot hold.',
  );
  expect(() => exactJson({ loss: -Infinity }, 'state')).toThrow('state.loss is -Infinity');
  for (const value of [1n, () => 1, Symbol('x'), undefined, new Map(), new Float32Array(1), new Date()]) {
    expect(() => exactJson([value], 'state')).toThrow('state[0] is');
  }
  expect(exactJson({ a: undefined, b: 1 })).toBe('{"b":1}');
});
