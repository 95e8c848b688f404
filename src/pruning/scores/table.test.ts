import { describe, expect, it, test } from 'vitest';
import { csvText } from '../../formats/csv';
import { gateLayout, GATE_SETS } from '../../llama/gates';
import { TINY } from '../../llama/testing';
import { keptUnits } from '../masks';
import { pinProblem, pinsOfMask } from '../pins';
import { random } from './random';
import type { Scoring } from './criterion';
import { maskOfOrders, maskOfScores, removalOrders } from './mask';
import { readScoreTable, scoreRows } from './table';

const drawn = (seed: number) => random.score({ config: TINY, seed } as Scoring);
const read = (text: string) => readScoreTable(TINY, text, 'scores.csv');
const text = csvText(scoreRows(TINY, drawn(1)));
const lines = text.split('\r\n');
const withLine = (number: number, line: string) =>
  lines.map((other, i) => (i === number - 1 ? line : other)).join('\r\n');

describe('a table of scores', () => {
  it('is read as it was written, with either end of line, in any order', () => {
    expect(read(text)).toEqual(drawn(1));
    expect(read(`\uFEFF${text.replaceAll('\r\n', '\n').trimEnd()}`)).toEqual(drawn(1));
    const [head, ...rest] = lines.slice(0, -1);
    expect(read([head, ...rest.reverse()].join('\n'))).toEqual(drawn(1));
    expect(read('set,row,unit,score\nlayer,0,0,-1.5e-7\nlayer,0,1,2\n')).toEqual({
      values: { layer: Float64Array.of(-1.5e-7, 2) },
    });
  });

  test.each([
    ['', /line 1 must be set,row,unit,score/],
    ['set,row,unit,score\n', /at least one line/],
    [withLine(3, 'hidden,0'), /line 3 must have 4 columns, but it has 2/],
    [withLine(3, 'hiden,0,1,1'), /line 3, column set must be one of hidden, head, .*, not "hiden"/],
    [withLine(3, 'head,2,1,1'), /line 3, column row must be a whole number from 0 to 1/],
    [withLine(3, 'hidden,0,24,1'), /line 3, column unit must be a whole number from 0 to 23/],
    [withLine(3, 'hidden,0,1.0,1'), /line 3, column unit/],
    [withLine(3, 'hidden,0,1,"1"'), /line 3, column score must be a finite number, not ""1""/],
    [withLine(3, 'hidden,0,1,'), /line 3, column score/],
    [withLine(3, 'hidden,0,1,1e999'), /line 3, column score/],
    [withLine(3, 'hidden,0,1,0x10'), /line 3, column score/],
    [withLine(3, lines[1]!), /line 3 says again/],
    [withLine(3, ''), /line 3 must have 4 columns/],
    ['set,row,unit,score\nlayer,0,1,2\n', /the set layer has no line for row 0, unit 0/],
  ])('that is wrong is refused with its place: %#', (wrong, sentence) => {
    expect(() => read(wrong)).toThrow(sentence);
    expect(() => read(wrong)).toThrow(/^scores\.csv: [^\n]{1,290}$/);
  });
});

describe('a mask as pins', () => {
  const target = { numHiddenLayers: 1, hiddenSize: 20, numAttentionHeads: 1, intermediateSize: 13 };
  const sets = { hidden: true, head: true, intermediate: true, layer: true };
  const maskBy = (seed: number, pins: string[], of = sets) => {
    const scores = { layers: drawn(seed), widths: drawn(seed) };
    return maskOfScores(TINY, scores, { target, sets: of, pins, protectEnds: false });
  };

  it('gives the same units whatever the scores are, with the fewest pins', () => {
    const mask = maskBy(1, []);
    const pins = pinsOfMask(TINY, mask, sets);
    expect(pinProblem(TINY, pins, target, sets)).toBeNull();
    expect(keptUnits(TINY, maskBy(2, []))).not.toEqual(keptUnits(TINY, mask));
    expect(keptUnits(TINY, maskBy(2, pins))).toEqual(keptUnits(TINY, mask));
    // 4 of 24 dimensions go; of the layer that stays 1 of 3 heads and 13 of 40 MLP units stay; 1 of 2 layers goes.
    expect(pins).toHaveLength(4 + 1 + 13 + 1);
  });

  it('pins nothing of a set that stays whole', () => {
    const of = { ...sets, hidden: false, layer: false };
    const pins = pinsOfMask(TINY, maskBy(1, [], of), of);
    expect(pins.every((pin) => /^[am]/.test(pin))).toBe(true);
    expect(pins.some((pin) => pin.startsWith('a1'))).toBe(true);
  });
});

it('leaves a set whole that has no order', () => {
  const { values } = drawn(1);
  const orders = removalOrders(
    TINY,
    { layers: { values: {} }, widths: { values: { head: values.head! } } },
    false,
  );
  const target = { numHiddenLayers: 1, hiddenSize: 20, numAttentionHeads: 1, intermediateSize: 13 };
  const sets = { hidden: true, head: true, intermediate: true, layer: true };
  const mask = maskOfOrders(TINY, orders, { target, sets, pins: [] });
  const layout = gateLayout(TINY);
  const closed = GATE_SETS.map((set) => {
    const { offset, rows, length } = layout[set];
    return mask.subarray(offset, offset + rows * length).filter((value) => value === 0).length;
  });
  expect(closed).toEqual([0, 2 * 2, 0, 0]);
});
