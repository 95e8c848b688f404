import { describe, expect, it } from 'vitest';
import { layOutAnatomy } from './anatomy-layout';
import { exampleConfig } from './example-run';
import {
  boxOf,
  describePins,
  namePlace,
  neighbour,
  type Place,
  pinnedBoxes,
  pinStateOf,
  placeAt,
  readPins,
  withPinned,
} from './pinned-units';

const layout = layOutAnatomy(exampleConfig, 640, 200);
const head: Place = { set: 'head', row: 1, from: 0, to: 0 };
const layer: Place = { set: 'layer', row: 0, from: 1, to: 1 };

describe('pinned units', () => {
  it('closes, keeps and lets go, and leaves the others', () => {
    const closed = withPinned(['d5!'], head, 'closed');
    expect(closed).toEqual(['d5!', 'a1.0-']);
    expect(withPinned(closed, head, 'kept')).toEqual(['d5!', 'a1.0!']);
    expect(withPinned(closed, head, 'free')).toEqual(['d5!']);
    expect(withPinned([], { set: 'hidden', row: 0, from: 2, to: 4 }, 'kept')).toEqual(['d2!', 'd3!', 'd4!']);
  });

  it('knows how a run of units is pinned', () => {
    const pins = readPins(['d2!', 'd3!', 'd4-', 'l1-']);
    const units = (from: number, to: number): Place => ({ set: 'hidden', row: 0, from, to });
    expect([
      pinStateOf(pins, units(2, 3)),
      pinStateOf(pins, units(3, 4)),
      pinStateOf(pins, units(5, 6)),
    ]).toEqual(['kept', null, 'free']);
    expect(pinStateOf(pins, layer)).toBe('closed');
  });

  it('counts from 1 in words', () => {
    expect([namePlace(head), namePlace(layer)]).toEqual(['Head 1 of layer 2', 'Layer 2']);
    expect(namePlace({ set: 'intermediate', row: 0, from: 3, to: 5 })).toBe('MLP units 4–6 of layer 1');
    const pins = ['d5-', 'a1.0-', 'l1!', 'm0.3!'];
    expect([null, 0, 1].map((at) => describePins(pins, at))).toEqual([
      'Hidden dimension 6 closed',
      'MLP unit 4 kept',
      'head 1 closed, the layer kept',
    ]);
    // Of a turned stream.
    expect(describePins(pins, null, true)).toBe('Axis 6 closed');
    expect(namePlace({ set: 'hidden', row: 0, from: 1, to: 2 }, true)).toBe('Axes 2–3');
    expect(namePlace(head, true)).toBe('Head 1 of layer 2');
  });

  it('finds every place where it is drawn', () => {
    for (const place of [head, layer, { set: 'intermediate', row: 0, from: 11, to: 11 } as const]) {
      const box = boxOf(layout, place)!;
      expect(placeAt(layout, box.x + box.width / 2, box.y + box.height / 2)).toEqual(place);
    }
    expect(pinnedBoxes(layout, ['a1.0-', 'l1!'])).toMatchObject([{ kept: false }, { kept: true }]);
  });

  it('walks with the arrow keys', () => {
    const walk = (place: Place, ...keys: string[]) =>
      namePlace(keys.reduce((at, key) => neighbour(layout, at, `Arrow${key}`), place));
    expect(walk(head, 'Right')).toBe('Head 2 of layer 2');
    expect(walk(head, 'Left')).toBe('Layer 2');
    expect(walk(head, 'Right', 'Right')).toBe('MLP unit 1 of layer 2');
    expect(walk(head, 'Up')).toBe('Head 1 of layer 1');
    expect(walk(head, 'Up', 'Up')).toBe('Hidden dimension 1');
    expect(walk(head, 'Up', 'Up', 'Up', 'Down')).toBe('Head 1 of layer 1');
    expect(walk(head, 'Down')).toBe('Head 1 of layer 2');
  });
});
