import type { GateSet } from '../../llama/gates';
import { parsePin, writePin } from '../../pruning/pins';
import { type AnatomyLayout, cellAt, type CellGrid, LABEL_WIDTH } from './anatomy-layout';

/** What one place of the anatomy stands for: a unit, or where units outnumber pixels a run of them. */
export interface Place {
  set: GateSet;
  /** Layer of heads and MLP units; 0 for hidden dimensions and layers. */
  row: number;
  /** First and last unit. */
  from: number;
  to: number;
}

export type PinState = 'closed' | 'kept' | 'free';

/** Pins by `set row unit`. */
export type Pins = ReadonlyMap<string, PinState>;

const keyOf = (set: GateSet, row: number, unit: number) => `${set} ${row} ${unit}`;

export function readPins(pins: readonly string[]): Pins {
  return new Map(
    pins.map(parsePin).map(({ set, row, unit, kept }) => [keyOf(set, row, unit), kept ? 'kept' : 'closed']),
  );
}

/** The pins when all units of a place are closed, kept or let go. */
export function withPinned(pins: readonly string[], place: Place, state: PinState): string[] {
  const { set, row, from, to } = place;
  const others = pins.filter((text) => {
    const pin = parsePin(text);
    return pin.set !== set || pin.row !== row || pin.unit < from || pin.unit > to;
  });
  if (state === 'free') return others;
  const added = Array.from({ length: to - from + 1 }, (_, i) =>
    writePin({ set, row, unit: from + i, kept: state === 'kept' }),
  );
  return [...others, ...added];
}

/** How the units of a place are pinned; null where they differ. */
export function pinStateOf(pins: Pins, { set, row, from, to }: Place): PinState | null {
  const first = pins.get(keyOf(set, row, from)) ?? 'free';
  for (let unit = from + 1; unit <= to; unit++) {
    if ((pins.get(keyOf(set, row, unit)) ?? 'free') !== first) return null;
  }
  return first;
}

const NAMES: Record<GateSet, string> = {
  hidden: 'Hidden dimension',
  head: 'Head',
  intermediate: 'MLP unit',
  layer: 'Layer',
};

/** What one unit of a set is called; the hidden dimensions of a turned stream are its axes. */
const nameOf = (set: GateSet, turned: boolean) => (turned && set === 'hidden' ? 'Axis' : NAMES[set]);

/** "Heads 3–4 of layer 2"; people count from 1. */
export function namePlace({ set, row, from, to }: Place, turned = false): string {
  const one = from === to;
  const name = nameOf(set, turned);
  const named = one
    ? `${name} ${from + 1}`
    : `${name === 'Axis' ? 'Axes' : `${name}s`} ${from + 1}–${to + 1}`;
  return set === 'head' || set === 'intermediate' ? `${named} of layer ${row + 1}` : named;
}

/** What is pinned of a layer, or with null of the residual stream, in words; empty for nothing. */
export function describePins(pins: readonly string[], layer: number | null, turned = false): string {
  return pins
    .map(parsePin)
    .filter(({ set, row, unit }) =>
      set === 'hidden' ? layer === null : layer === (set === 'layer' ? unit : row),
    )
    .map(({ set, unit, kept }) => {
      const name =
        set === 'layer' ? 'the layer' : `${nameOf(set, turned).replace('Head', 'head')} ${unit + 1}`;
      return `${name} ${kept ? 'kept' : 'closed'}`;
    })
    .join(', ');
}

const placeOfGrid = (grid: CellGrid, from: number, to: number): Place => ({
  set: grid.kind,
  row: grid.layer ?? 0,
  from,
  to,
});

/** The place under a point: a cell, or a layer by its number and its gate. */
export function placeAt(layout: AnatomyLayout, x: number, y: number): Place | null {
  if (x < LABEL_WIDTH - 10) {
    const row = layout.rows.find((candidate) => y >= candidate.y && y < candidate.y + candidate.height);
    return row ? { set: 'layer', row: 0, from: row.layer, to: row.layer } : null;
  }
  const cell = cellAt(layout, x, y);
  return cell && placeOfGrid(cell.grid, cell.from, cell.to);
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where a place is drawn. */
export function boxOf(layout: AnatomyLayout, place: Place): Box | null {
  if (place.set === 'layer') {
    const row = layout.rows[place.from];
    return row ? { x: LABEL_WIDTH - 26, y: row.y, width: 8, height: row.height } : null;
  }
  const grid = layout.grids.find(({ kind, layer }) => kind === place.set && (layer ?? 0) === place.row);
  if (!grid) return null;
  const cell = Math.floor(place.from / grid.unitsPerCell);
  return {
    x: grid.x + (cell % grid.columns) * grid.cellWidth,
    y: grid.y + Math.floor(cell / grid.columns) * grid.cellHeight,
    width: grid.cellWidth - grid.gap,
    height: grid.cellHeight - grid.gap,
  };
}

/** Every pinned cell, once, for drawing. A cell whose units differ is drawn as its first pinned unit is. */
export function pinnedBoxes(layout: AnatomyLayout, pins: readonly string[]): (Box & { kept: boolean })[] {
  const boxes = new Map<string, Box & { kept: boolean }>();
  for (const { set, row, unit, kept } of pins.map(parsePin)) {
    const box = boxOf(layout, { set, row, from: unit, to: unit });
    if (box && !boxes.has(`${box.x} ${box.y}`)) boxes.set(`${box.x} ${box.y}`, { ...box, kept });
  }
  return [...boxes.values()];
}

/** The place next to another by an arrow key: along a grid, and from grid to grid up and down. */
export function neighbour(layout: AnatomyLayout, place: Place, key: string): Place {
  const sideways = key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : 0;
  const stops = placesInOrder(layout, place);
  const index = stops.findIndex((stop) => samePlace(stop, place));
  if (sideways) return stops[Math.min(stops.length - 1, Math.max(0, index + sideways))] ?? place;
  const layer = place.set === 'hidden' ? -1 : place.set === 'layer' ? place.from : place.row;
  const next = layer + (key === 'ArrowUp' ? -1 : 1);
  if (next >= layout.rows.length) return place;
  if (next < 0) return cellOf(layout, 'hidden', 0, place.set === 'hidden' ? place.from : 0) ?? place;
  if (place.set === 'layer') return { ...place, from: next, to: next };
  const set = place.set === 'hidden' ? 'head' : place.set;
  return cellOf(layout, set, next, place.set === 'hidden' ? 0 : place.from) ?? place;
}

/** What lies in one row with a place: the hidden dimensions, or a layer's gate, heads and MLP units. */
function placesInOrder(layout: AnatomyLayout, place: Place): Place[] {
  const cells = (grid: CellGrid) =>
    Array.from({ length: Math.ceil(grid.units / grid.unitsPerCell) }, (_, cell) => {
      const from = cell * grid.unitsPerCell;
      return placeOfGrid(grid, from, Math.min(from + grid.unitsPerCell, grid.units) - 1);
    });
  if (place.set === 'hidden') return layout.grids.filter(({ layer }) => layer === null).flatMap(cells);
  const layer = place.set === 'layer' ? place.from : place.row;
  const gate: Place = { set: 'layer', row: 0, from: layer, to: layer };
  return [gate, ...layout.grids.filter((grid) => grid.layer === layer).flatMap(cells)];
}

function cellOf(layout: AnatomyLayout, set: CellGrid['kind'], row: number, unit: number): Place | null {
  const grid = layout.grids.find(({ kind, layer }) => kind === set && (layer ?? 0) === row);
  if (!grid) return null;
  const from = Math.floor(Math.min(unit, grid.units - 1) / grid.unitsPerCell) * grid.unitsPerCell;
  return placeOfGrid(grid, from, Math.min(from + grid.unitsPerCell, grid.units) - 1);
}

const samePlace = (a: Place, b: Place) =>
  a.set === b.set && a.row === b.row && a.from === b.from && a.to === b.to;
