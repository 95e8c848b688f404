import type { SurgeryEvent } from '../../run/events';
import type { GateRows } from '../../run/gate-rows';
import type { LlamaConfig } from '../../llama/config';

/** A grid of equal cells, each showing one unit or, where units outnumber pixels, a run of them. */
export interface CellGrid {
  kind: 'hidden' | 'head' | 'intermediate';
  layer: number | null;
  /** Index of this grid's first unit in the flat list of gates (hidden, then by layer: heads, MLP). */
  firstUnit: number;
  units: number;
  unitsPerCell: number;
  columns: number;
  x: number;
  y: number;
  cellWidth: number;
  cellHeight: number;
  gap: number;
}

export interface LayerRow {
  layer: number;
  y: number;
  height: number;
}

export interface AnatomyLayout {
  width: number;
  height: number;
  grids: CellGrid[];
  rows: LayerRow[];
  /** Height of the strip over the hidden cells, in one row then, in which each axis' share is drawn; 0: none. */
  shares: number;
  /** Units in the flat list, layers not counted. */
  units: number;
}

export type AnatomyShape = Pick<
  LlamaConfig,
  'hiddenSize' | 'numHiddenLayers' | 'numKeyValueHeads' | 'intermediateSize'
>;

export const LABEL_WIDTH = 64;
const COLUMN_GAP = 14;
const SMALLEST_CELL = 3;
/** Of a turned stream: the strip of shares, and the cells under it. */
const SHARES_HEIGHT = 20;
const AXIS_HEIGHT = 12;

/**
 * Rows and columns of cells that fill a box as nearly square as they can, and how many units one cell then
 * stands for. The last row may stay partly empty.
 */
export function fitGrid(units: number, width: number, height: number, largest: number) {
  const most = Math.max(1, Math.floor(height / SMALLEST_CELL) * Math.floor(width / SMALLEST_CELL));
  const unitsPerCell = Math.ceil(units / most);
  const cells = Math.ceil(units / unitsPerCell);
  let best = { columns: cells, cellWidth: 0, cellHeight: 0, unitsPerCell };
  let worst = Infinity;
  for (let rows = 1; rows * SMALLEST_CELL <= Math.max(height, SMALLEST_CELL); rows++) {
    const columns = Math.ceil(cells / rows);
    const cellWidth = Math.min(width / columns, largest);
    const cellHeight = Math.min(height / rows, largest);
    // Far from square, or a half-empty last row, is what the eye dislikes.
    const wasted = 1 - cells / (rows * columns);
    const distance = Math.abs(Math.log(cellWidth / cellHeight)) + wasted;
    if (cellWidth >= SMALLEST_CELL - 0.5 && distance < worst) {
      worst = distance;
      best = { columns, cellWidth, cellHeight, unitsPerCell };
    }
  }
  if (best.cellWidth === 0)
    best = { ...best, cellWidth: width / best.columns, cellHeight: Math.min(height, largest) };
  return best;
}

/** One row of cells, each under the bar that says more of it. */
function fitRow(units: number, width: number, height: number, largest: number) {
  const unitsPerCell = Math.ceil(units / Math.max(1, Math.floor(width / SMALLEST_CELL)));
  const columns = Math.ceil(units / unitsPerCell);
  return { columns, cellWidth: Math.min(width / columns, largest), cellHeight: height, unitsPerCell };
}

/**
 * Places every unit of a model in a box of CSS pixels: the residual stream on top, then a row a layer.
 *
 * @param turned the stream was turned: its axes stand in one row, with room for their shares above
 */
export function layOutAnatomy(
  shape: AnatomyShape,
  width: number,
  height: number,
  turned = false,
): AnatomyLayout {
  const { hiddenSize, numHiddenLayers, numKeyValueHeads, intermediateSize } = shape;
  const inner = Math.max(40, width - LABEL_WIDTH);
  const shares = turned ? SHARES_HEIGHT : 0;
  const hiddenHeight = turned ? shares + AXIS_HEIGHT : Math.max(10, Math.min(30, height * 0.12));
  const rowGap = numHiddenLayers > 16 ? 2 : 8;
  const top = hiddenHeight + 12;
  const rowHeight = Math.max(4, (height - top - rowGap * (numHiddenLayers - 1)) / numHiddenLayers);
  const headsWidth = Math.min(
    inner * 0.3,
    Math.max(inner * 0.14, numKeyValueHeads * Math.min(rowHeight, 22)),
  );

  const grids: CellGrid[] = [];
  const rows: LayerRow[] = [];
  let units = 0;
  const add = (
    kind: CellGrid['kind'],
    layer: number | null,
    count: number,
    box: { x: number; y: number; width: number; height: number },
    largest: number,
    fitted = fitGrid,
  ) => {
    const fit = fitted(count, box.width, box.height, largest);
    const cell = Math.min(fit.cellWidth, fit.cellHeight);
    const gap = cell >= 6 ? 1.5 : cell >= 4 ? 1 : 0.5;
    grids.push({ kind, layer, firstUnit: units, units: count, x: box.x, y: box.y, gap, ...fit });
    units += count;
  };

  const hiddenBox = { x: LABEL_WIDTH, y: shares, width: inner, height: hiddenHeight - shares };
  add('hidden', null, hiddenSize, hiddenBox, 30, turned ? fitRow : fitGrid);
  for (let layer = 0; layer < numHiddenLayers; layer++) {
    const y = top + layer * (rowHeight + rowGap);
    rows.push({ layer, y, height: rowHeight });
    add('head', layer, numKeyValueHeads, { x: LABEL_WIDTH, y, width: headsWidth, height: rowHeight }, 40);
    const x = LABEL_WIDTH + headsWidth + COLUMN_GAP;
    add('intermediate', layer, intermediateSize, { x, y, width: width - x, height: rowHeight }, 30);
  }
  const bottom = top + numHiddenLayers * (rowHeight + rowGap) - rowGap;
  return { width, height: bottom, grids, rows, shares, units };
}

/** Gates of all units in layout order, 0…255. A model with no run yet has every gate open. */
export function flattenGates(layout: AnatomyLayout, gates: GateRows | null): Float32Array {
  const values = new Float32Array(layout.units).fill(255);
  if (!gates) return values;
  for (const grid of layout.grids) {
    const list =
      grid.layer === null
        ? gates.hidden
        : ((grid.kind === 'head' ? gates.heads : gates.intermediate)[grid.layer] ?? []);
    for (let unit = 0; unit < grid.units; unit++) values[grid.firstUnit + unit] = list[unit] ?? 255;
  }
  return values;
}

/** 255 for the units that surgery kept, 0 for the others, in layout order. */
export function flattenKept(layout: AnatomyLayout, kept: SurgeryEvent['kept']): Float32Array {
  const values = new Float32Array(layout.units);
  const open = (grid: CellGrid, indices: readonly number[] | undefined) => {
    for (const unit of indices ?? []) if (unit < grid.units) values[grid.firstUnit + unit] = 255;
  };
  for (const grid of layout.grids) {
    if (grid.layer === null) {
      open(grid, kept.hidden);
      continue;
    }
    const place = keptPlace(kept, grid.layer);
    if (place >= 0) open(grid, (grid.kind === 'head' ? kept.heads : kept.intermediate)[place]);
  }
  return values;
}

/**
 * Where the lists of a source layer stand in `kept`: they are given for every source layer, or only for
 * the layers that were kept. −1: the layer was removed.
 */
export function keptPlace(kept: SurgeryEvent['kept'], layer: number): number {
  const index = kept.layers.indexOf(layer);
  if (index < 0) return -1;
  return kept.heads.length === kept.layers.length ? index : layer;
}

/** The cell under a point, as the grid and its range of units. */
export function cellAt(
  layout: AnatomyLayout,
  x: number,
  y: number,
): { grid: CellGrid; from: number; to: number } | null {
  for (const grid of layout.grids) {
    const column = Math.floor((x - grid.x) / grid.cellWidth);
    const row = Math.floor((y - grid.y) / grid.cellHeight);
    if (column < 0 || column >= grid.columns || row < 0) continue;
    const from = (row * grid.columns + column) * grid.unitsPerCell;
    if (from < grid.units) return { grid, from, to: Math.min(from + grid.unitsPerCell, grid.units) - 1 };
  }
  return null;
}
