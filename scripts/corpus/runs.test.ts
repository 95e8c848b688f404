import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forEachRun } from './runs.mjs';

it('gives equal runs one key and others another, wherever they stand', () => {
  const ids = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 60 });
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 6 }), (ids, length) => {
      const keyOf = new Map<string, number>();
      const starts: number[] = [];
      forEachRun(ids, length, (key, start) => {
        starts.push(start);
        const run = ids.slice(start, start + length).join();
        expect(keyOf.get(run) ?? key).toBe(key);
        keyOf.set(run, key);
      });
      expect(starts).toEqual(Array.from({ length: Math.max(0, ids.length - length + 1) }, (_, i) => i));
      expect(new Set(keyOf.values()).size).toBe(keyOf.size);
    }),
  );
});
