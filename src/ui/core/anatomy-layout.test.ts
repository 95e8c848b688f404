import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellAt, flattenGates, flattenKept, keptPlace, layOutAnatomy } from './anatomy-layout';
import { gateRows } from '../../run/gate-rows';
import { exampleConfig, exampleGates } from './example-run';

describe('anatomy layout', () => {
  it('holds every unit once, inside the box', () => {
    fc.assert(
      fc.property(
        fc.record({
          hiddenSize: fc.integer({ min: 1, max: 4096 }),
          numHiddenLayers: fc.integer({ min: 1, max: 40 }),
          numKeyValueHeads: fc.integer({ min: 1, max: 64 }),
          intermediateSize: fc.integer({ min: 1, max: 11008 }),
        }),
        fc.integer({ min: 320, max: 1400 }),
        fc.integer({ min: 160, max: 400 }),
        fc.boolean(),
        (shape, width, height, turned) => {
          const layout = layOutAnatomy(shape, width, height, turned);
          const units = shape.numHiddenLayers * (shape.numKeyValueHeads + shape.intermediateSize);
          expect(layout.units).toBe(shape.hiddenSize + units);
          for (const grid of layout.grids) {
            const cells = Math.ceil(grid.units / grid.unitsPerCell);
            expect(grid.x + Math.min(cells, grid.columns) * grid.cellWidth).toBeLessThanOrEqual(width + 1);
            expect(grid.cellWidth).toBeGreaterThan(0);
            expect(grid.cellHeight).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('puts the axes of a turned stream in one row, under their shares', () => {
    const { grids, shares, rows } = layOutAnatomy({ ...exampleConfig, hiddenSize: 500 }, 700, 220, true);
    const hidden = grids[0]!;
    expect(shares).toBeGreaterThan(0);
    expect(hidden.y).toBe(shares);
    expect(hidden.columns * hidden.unitsPerCell).toBeGreaterThanOrEqual(500);
    expect(rows[0]!.y).toBeGreaterThan(hidden.y + hidden.cellHeight);
  });

  it('finds the unit under the pointer', () => {
    const layout = layOutAnatomy(exampleConfig, 700, 220);
    for (const grid of layout.grids) {
      for (let cell = 0; cell * grid.unitsPerCell < grid.units; cell++) {
        const x = grid.x + ((cell % grid.columns) + 0.5) * grid.cellWidth;
        const y = grid.y + (Math.floor(cell / grid.columns) + 0.5) * grid.cellHeight;
        const found = cellAt(layout, x, y);
        expect(found?.grid).toBe(grid);
        expect(found?.from).toBe(cell * grid.unitsPerCell);
      }
    }
    expect(cellAt(layout, 2, 2)).toBeNull();
  });

  it('places gates in layout order; with no run every gate is open', () => {
    const layout = layOutAnatomy(exampleConfig, 700, 220);
    expect([...flattenGates(layout, null)]).toEqual(Array(layout.units).fill(255));
    const flat = [...flattenGates(layout, gateRows(exampleConfig, exampleGates))];
    expect(flat.slice(0, 8)).toEqual([...exampleGates.values.subarray(0, 8)]);
    expect(flat.slice(8, 10)).toEqual([255, 0]);
    expect(flat.slice(22, 24)).toEqual([128, 255]);
    expect(flat.slice(24)).toEqual(Array(12).fill(51));
  });

  it.each([
    ['lists of the kept layers only', { heads: [[1]], intermediate: [[0, 5]] }],
    ['lists of every source layer', { heads: [[], [1]], intermediate: [[], [0, 5]] }],
  ])('marks what the cut kept, from %s', (_, lists) => {
    const layout = layOutAnatomy(exampleConfig, 700, 220);
    const kept = { hidden: [0, 7], layers: [1], ...lists };
    const flat = [...flattenKept(layout, kept)];
    const open = flat.flatMap((value, unit) => (value > 0 ? [unit] : []));
    expect(open).toEqual([0, 7, 23, 24, 29]);
    expect(keptPlace(kept, 0)).toBe(-1);
  });
});
