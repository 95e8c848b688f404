import { alignElements, sliceElements, type Slice } from '../gpu/buffers';
import type { Recorder } from '../gpu/program';
import { addColumns, takeColumns } from '../kernels/columns';
import { dropout } from '../kernels/dropout';
import { matmul, matmulScratchElements } from '../kernels/matmul';
import type { PendingSum } from '../kernels/product-sums';
import { adapterScale, type AdapterPlace } from './adapters';
import { regionSlice, type AdaptersView, type ModelView } from './model';
import { linearShapes, type LinearName } from './parameters';
import type { AdapterBuffers, TrainingWorkspace } from './workspace';

/** Which linear layer of which block, for how many rows M. */
interface LinearPlace {
  layer: number;
  name: LinearName;
  /** [M, k] */
  x: Slice;
  rows: number;
  label: string;
}

/**
 * y [M, n] = x·Wᵀ, and with adapters the columns of each adapted projection += s·drop(x)·Aᵀ·Bᵀ (adapters.ts).
 * A bias is the caller's.
 *
 * @throws when the model has adapters and the workspace was made without
 */
export function linearForward(
  recorder: Recorder,
  { config, layout, parameters, adapters }: ModelView,
  buffers: AdapterBuffers | null,
  { layer, name, x, y, rows, label }: LinearPlace & { y: Slice },
): void {
  const { n, k } = linearShapes(config)[name];
  const weights = regionSlice(parameters, layout.layers[layer]![name]);
  matmul(recorder, { layout: 'nt', a: x, b: weights, c: y, m: rows, n, k, label });
  if (!adapters) return;
  const space = buffersOf(buffers, label);
  const { rank } = adapters.lora;
  for (const place of adapters.layout.layers[layer]![name]) {
    const { columns, first } = place;
    const adapterLabel = labelOf(layer, place);
    const hidden = space.hidden(place.site);
    const part = sliceElements(space.columns, 0, rows * columns);
    matmul(recorder, {
      layout: 'nt',
      a: droppedInput(recorder, adapters, space, place, x, rows),
      b: regionSlice(adapters.values, place.a),
      c: hidden,
      m: rows,
      n: rank,
      k,
      label: `${adapterLabel} A`,
    });
    matmul(recorder, {
      layout: 'nt',
      a: hidden,
      b: regionSlice(adapters.values, place.b),
      c: part,
      m: rows,
      n: columns,
      k: rank,
      label: `${adapterLabel} B`,
    });
    addColumns(recorder, {
      whole: y,
      part,
      rows,
      width: n,
      first,
      columns,
      scale: adapterScale(adapters.lora),
      label: adapterLabel,
    });
  }
}

/**
 * The gradients of `linearForward` from dY [M, n]: dX = dY·W into `dX`, unless that is null, and dW = dYᵀ·x into
 * `gradients`. With adapters W has none: for each, with dY's columns scaled by s and h = drop(x)·Aᵀ as the forward
 * pass left it, dh = dY·B, dB = dYᵀ·h, dA = dhᵀ·drop(x), dX += drop(dh·A). `gradients` has the layout of what is
 * trained; the weights' gradients are there at once or by the `productSums` of `pending`.
 */
export function linearBackward(
  recorder: Recorder,
  { config, layout, parameters, adapters }: ModelView,
  gradients: Slice,
  at: TrainingWorkspace,
  options: LinearPlace & { dY: Slice; dX: Slice | null; pending: PendingSum[] },
): void {
  const { layer, name, x, dY, dX, rows, pending, label } = options;
  const { n, k } = linearShapes(config)[name];
  const region = layout.layers[layer]![name];
  const { single, [name]: waiting } = at.productScratch;
  if (dX) {
    matmul(recorder, {
      layout: 'nn',
      a: dY,
      b: regionSlice(parameters, region),
      c: dX,
      m: rows,
      n: k,
      k: n,
      scratch: single,
      label: `${label} input gradient`,
    });
  }
  let used = 0;
  /** c [m, n] = aᵀ·b over all rows: the gradient of a matrix. */
  const weightGradient = (a: Slice, b: Slice, c: Slice, size: { m: number; n: number }, of: string) => {
    const elements = alignElements(matmulScratchElements({ ...size, k: rows }));
    const scratch = sliceElements(waiting, used, elements);
    used += elements;
    const gradientLabel = `${of} gradient`;
    matmul(recorder, { layout: 'tn', a, b, c, ...size, k: rows, scratch, pending, label: gradientLabel });
  };
  if (!adapters) {
    weightGradient(dY, x, regionSlice(gradients, region), { m: n, n: k }, label);
    return;
  }
  const space = buffersOf(at.adapters, label);
  const { rank } = adapters.lora;
  for (const place of adapters.layout.layers[layer]![name]) {
    const { columns, first } = place;
    const adapterLabel = labelOf(layer, place);
    const part = sliceElements(space.columns, 0, rows * columns);
    const hiddenGradient = space.hiddenGradient;
    takeColumns(recorder, {
      whole: dY,
      part,
      rows,
      width: n,
      first,
      columns,
      scale: adapterScale(adapters.lora),
      label: `${adapterLabel} gradient`,
    });
    matmul(recorder, {
      layout: 'nn',
      a: part,
      b: regionSlice(adapters.values, place.b),
      c: hiddenGradient,
      m: rows,
      n: rank,
      k: columns,
      scratch: single,
      label: `${adapterLabel} hidden gradient`,
    });
    const { b, a } = place;
    const hidden = space.hidden(place.site);
    const bSize = { m: columns, n: rank };
    weightGradient(part, hidden, regionSlice(gradients, b), bSize, `${adapterLabel} B`);
    const input = droppedInput(recorder, adapters, space, place, x, rows);
    const aSize = { m: rank, n: k };
    weightGradient(hiddenGradient, input, regionSlice(gradients, a), aSize, `${adapterLabel} A`);
    if (!dX) continue;
    const dropped = input !== x;
    matmul(recorder, {
      layout: 'nn',
      a: hiddenGradient,
      b: regionSlice(adapters.values, place.a),
      // What was dropped has no gradient: the product waits where the dropped input was, which nothing reads any more.
      c: dropped ? input : dX,
      m: rows,
      n: k,
      k: rank,
      accumulate: !dropped,
      scratch: single,
      label: `${adapterLabel} input gradient`,
    });
    if (dropped) drop(recorder, adapters, place, { x: input, y: dX, rows, accumulate: true });
  }
}

function labelOf(layer: number, { projection }: AdapterPlace): string {
  return `layer ${layer} ${projection} adapter`;
}

function buffersOf<Buffers>(buffers: Buffers | null, label: string): Buffers {
  if (!buffers) throw new Error(`${label}: the workspace was made for a model without adapters`);
  return buffers;
}

/** What A is multiplied by: x itself, or where this program drops some of it, the rest in a buffer of its own. */
function droppedInput(
  recorder: Recorder,
  adapters: AdaptersView,
  { input }: AdapterBuffers,
  place: AdapterPlace,
  x: Slice,
  rows: number,
): Slice {
  if (!adapters.step || !input) return x;
  const y = sliceElements(input, 0, rows * place.inputs);
  drop(recorder, adapters, place, { x, y, rows, accumulate: false });
  return y;
}

function drop(
  recorder: Recorder,
  { lora, step }: AdaptersView,
  place: AdapterPlace,
  { x, y, rows, accumulate }: { x: Slice; y: Slice; rows: number; accumulate: boolean },
): void {
  if (!step) return;
  const elements = rows * place.inputs;
  const label = `${place.projection} adapter dropout`;
  dropout(recorder, { x, y, elements, rate: lora.dropout, site: place.site, accumulate, step, label });
}
