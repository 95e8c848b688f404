import { type AnatomyLayout, type CellGrid, LABEL_WIDTH } from '../core/anatomy-layout';
import type { Box } from '../core/pinned-units';
import { ANATOMY_COLOURS, type Theme } from '../core/theme-colours';

export interface AnatomyFrame {
  layout: AnatomyLayout;
  /** Gates as they are drawn at this instant, 0…255, in layout order. */
  units: Float32Array;
  layers: Float32Array;
  /** 255 for what is kept by a cut, or would be. */
  kept: { units: Float32Array; layers: ReadonlySet<number> } | null;
  /** The shades are places by importance, not gates: they stay readable also where a unit goes. */
  shaded: boolean;
  /** Of a turned stream: each axis' share of its moments. */
  shares: readonly number[] | null;
  theme: Theme;
  font: string;
  /** Cells that are pinned by hand. */
  marks: readonly (Box & { kept: boolean })[];
  /** The cell that has the keyboard's focus. */
  cursor: Box | null;
}

const SHADES = 64;
const ramps = new Map<string, string[]>();

/** Colours from `from` to `to`, mixed in linear light so that half a gate looks half as bright. */
function ramp(from: string, to: string): string[] {
  const key = `${from}${to}`;
  let colours = ramps.get(key);
  if (!colours) {
    const channel = (hex: string, at: number) => (parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2;
    colours = Array.from({ length: SHADES }, (_, i) => {
      const share = i / (SHADES - 1);
      const mixed = [1, 3, 5].map((at) =>
        Math.round(255 * (channel(from, at) * (1 - share) + channel(to, at) * share) ** (1 / 2.2)),
      );
      return `rgb(${mixed.join(',')})`;
    });
    ramps.set(key, colours);
  }
  return colours;
}

/** Draws one frame in CSS pixels; the context is already scaled to the screen's pixels. */
export function paintAnatomy(context: CanvasRenderingContext2D, frame: AnatomyFrame): void {
  const { layout, theme } = frame;
  const colours = ANATOMY_COLOURS[theme];
  context.clearRect(0, 0, layout.width, layout.height);
  context.font = frame.font;
  context.textBaseline = 'middle';
  for (const grid of layout.grids) paintGrid(context, grid, frame);

  const first = layout.grids[0];
  if (first && frame.shares) paintShares(context, first, frame, frame.shares);
  context.fillStyle = colours.text;
  if (first) {
    const middle = first.y + Math.max(6, gridHeight(first) / 2);
    context.fillText(frame.shares ? 'Axes' : 'Residual', 0, middle);
  }
  const every = Math.ceil(12 / (layout.rows[0]?.height ?? 12));
  for (const row of layout.rows) {
    const open = (frame.layers[row.layer] ?? 255) / 255;
    const cut = frame.kept !== null && !frame.kept.layers.has(row.layer);
    const middle = row.y + row.height / 2;
    if (row.layer % every === 0) {
      context.fillStyle = colours.text;
      context.globalAlpha = cut ? 0.55 : 1;
      context.fillText(`${row.layer + 1}`, 0, middle);
      context.globalAlpha = 1;
    }
    // Once cut, a layer is there or not; what its gate stood at is folded into its weights.
    if (frame.shaded) paintShade(context, row.y, row.height, open, cut, theme);
    else paintValve(context, row.y, row.height, frame.kept ? 1 : open, cut, theme);
    if (cut) paintStrike(context, layout, middle, theme);
  }
  for (const mark of frame.marks) paintPin(context, mark, theme);
  if (frame.cursor) {
    const { x, y, width, height } = frame.cursor;
    context.strokeStyle = theme === 'dark' ? '#ff8a5c' : '#c8451b';
    context.lineWidth = 2;
    context.strokeRect(x - 1.5, y - 1.5, width + 3, height + 3);
  }
}

/** Closed by hand: a cross. Kept by hand: a dot. Both on a ground of their own, so that they stand out of any gate. */
function paintPin(
  context: CanvasRenderingContext2D,
  { x, y, width, height, kept }: Box & { kept: boolean },
  theme: Theme,
): void {
  const reach = Math.max(2.5, Math.min(5, Math.min(width, height) / 2 - 1));
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  context.fillStyle = theme === 'dark' ? '#12181d' : '#ffffff';
  context.beginPath();
  context.arc(middleX, middleY, reach + 1, 0, 2 * Math.PI);
  context.fill();
  context.strokeStyle = context.fillStyle = theme === 'dark' ? '#ff8a5c' : '#c8451b';
  context.lineWidth = 1.5;
  context.beginPath();
  if (kept) {
    context.arc(middleX, middleY, reach * 0.65, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  const arm = reach * 0.65;
  context.moveTo(middleX - arm, middleY - arm);
  context.lineTo(middleX + arm, middleY + arm);
  context.moveTo(middleX + arm, middleY - arm);
  context.lineTo(middleX - arm, middleY + arm);
  context.stroke();
}

function gridHeight(grid: CellGrid): number {
  return Math.ceil(Math.ceil(grid.units / grid.unitsPerCell) / grid.columns) * grid.cellHeight;
}

function paintGrid(context: CanvasRenderingContext2D, grid: CellGrid, frame: AnatomyFrame): void {
  const colours = ANATOMY_COLOURS[frame.theme];
  const opening = ramp(colours.closed, frame.kept && !frame.shaded ? colours.kept : colours.open);
  const layerGate =
    grid.layer === null || frame.kept || frame.shaded ? 1 : (frame.layers[grid.layer] ?? 255) / 255;
  const width = grid.cellWidth - grid.gap;
  const height = grid.cellHeight - grid.gap;
  const values = (frame.shaded ? null : frame.kept?.units) ?? frame.units;
  for (let cell = 0; cell * grid.unitsPerCell < grid.units; cell++) {
    const from = cell * grid.unitsPerCell;
    const to = Math.min(from + grid.unitsPerCell, grid.units);
    // A closed layer dims its units, yet leaves their own gates readable.
    const share =
      (mean(values, grid.firstUnit + from, grid.firstUnit + to) / 255) * (0.25 + 0.75 * layerGate);
    const x = grid.x + (cell % grid.columns) * grid.cellWidth;
    const y = grid.y + Math.floor(cell / grid.columns) * grid.cellHeight;
    if (frame.shaded) {
      const goes =
        frame.kept !== null && mean(frame.kept.units, grid.firstUnit + from, grid.firstUnit + to) < 128;
      paintShadedCell(context, { x, y, width, height }, share, goes, frame.theme);
      continue;
    }
    if (frame.kept && share < 0.01 && Math.min(width, height) >= 4) {
      // What was cut away stays as an outline: one sees the shape that was carved.
      context.strokeStyle = colours.cut;
      context.lineWidth = 0.75;
      context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
      continue;
    }
    context.fillStyle = opening[Math.round(share * (SHADES - 1))] ?? colours.open;
    context.fillRect(x, y, width, height);
  }
}

/** A bar over each cell of the axes: the mean of their shares, against the greatest. */
function paintShares(
  context: CanvasRenderingContext2D,
  grid: CellGrid,
  { layout, kept, theme }: AnatomyFrame,
  shares: readonly number[],
): void {
  const colours = ANATOMY_COLOURS[theme];
  const bars = Array.from({ length: Math.ceil(grid.units / grid.unitsPerCell) }, (_, cell) => {
    const from = cell * grid.unitsPerCell;
    const to = Math.min(from + grid.unitsPerCell, grid.units);
    return { from, to, share: mean(shares, from, to) };
  });
  const greatest = Math.max(...bars.map(({ share }) => share)) || 1;
  const width = grid.cellWidth - grid.gap;
  for (const [cell, { from, to, share }] of bars.entries()) {
    const goes = kept !== null && mean(kept.units, grid.firstUnit + from, grid.firstUnit + to) < 128;
    const height = Math.max(0.75, (share / greatest) * (layout.shares - 2));
    context.fillStyle = goes ? colours.cut : kept ? colours.kept : colours.open;
    context.fillRect(grid.x + cell * grid.cellWidth, layout.shares - 2 - height, width, height);
  }
}

function mean(values: Float32Array | readonly number[], from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i] ?? 0;
  return sum / (to - from);
}

/** Filled where it stays; where it would go a frame in the same shade, or where there is no room for one, fainter. */
function paintShadedCell(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Box,
  share: number,
  goes: boolean,
  theme: Theme,
): void {
  const { closed, cut, open } = ANATOMY_COLOURS[theme];
  const shade = Math.round(share * (SHADES - 1));
  context.fillStyle = ramp(closed, open)[shade]!;
  // A thin line in the palest shade would not be seen.
  context.strokeStyle = ramp(cut, open)[shade]!;
  if (goes && Math.min(width, height) >= 4) {
    context.lineWidth = 1.5;
    context.strokeRect(x + 0.75, y + 0.75, width - 1.5, height - 1.5);
    return;
  }
  context.globalAlpha = goes ? 0.35 : 1;
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
}

/** A layer's place by importance: the bar beside its number, in the shade of the cells. */
function paintShade(
  context: CanvasRenderingContext2D,
  y: number,
  height: number,
  share: number,
  goes: boolean,
  theme: Theme,
): void {
  paintShadedCell(context, { x: LABEL_WIDTH - 26, y, width: 8, height }, share, goes, theme);
}

/** The layer's own gate: a bar beside its number that empties from the top as the gate closes. */
function paintValve(
  context: CanvasRenderingContext2D,
  y: number,
  height: number,
  open: number,
  cut: boolean,
  theme: Theme,
): void {
  const colours = ANATOMY_COLOURS[theme];
  const x = LABEL_WIDTH - 26;
  context.fillStyle = colours.closed;
  context.fillRect(x, y, 8, height);
  const filled = height * (cut ? 0 : open);
  context.fillStyle = colours.open;
  context.fillRect(x, y + height - filled, 8, filled);
}

function paintStrike(
  context: CanvasRenderingContext2D,
  layout: AnatomyLayout,
  y: number,
  theme: Theme,
): void {
  context.strokeStyle = theme === 'dark' ? '#ff8a5c' : '#c8451b';
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(LABEL_WIDTH - 10, y);
  context.lineTo(layout.width, y);
  context.stroke();
}
