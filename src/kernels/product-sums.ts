import source from '../../shaders/product_sums.wgsl?raw';
import type { Slice } from '../gpu/buffers';
import { foldWorkgroups, type Kernel, type Recorder } from '../gpu/program';

/** Sums a dispatch takes at most. */
const MAX_SUMS = 4;

const productSumsKernel: Kernel = { name: 'product_sums', code: source, entryPoint: 'product_sums' };

/** A product whose k was split and whose slices are still to be added up. */
export interface PendingSum {
  /** [slices, elements] */
  products: Slice;
  slices: number;
  elements: number;
  /** [elements], written. */
  destination: Slice;
}

/**
 * Adds up the slices of every pending product, four a dispatch, and forgets them. `products` holds all of their
 * slices, `destination` all of their sums: two buffers.
 */
export function productSums(
  recorder: Recorder,
  {
    pending,
    products,
    destination,
    label,
  }: { pending: PendingSum[]; products: Slice; destination: Slice; label: string },
): void {
  while (pending.length > 0) {
    const sums = pending.splice(0, MAX_SUMS);
    let end = 0;
    const ends = sums.map(({ elements }) => (end += Math.ceil(elements / 64)));
    /** Four values; a sum that is not there has no workgroups. */
    const four = (values: number[], rest: number) =>
      Array.from({ length: MAX_SUMS }, (_, i) => values[i] ?? rest);
    recorder.dispatch({
      kernel: productSumsKernel,
      label,
      uniforms: {
        ends: four(ends, end),
        columns: four(
          sums.map(({ elements }) => elements),
          0,
        ),
        slices: four(
          sums.map(({ slices }) => slices),
          0,
        ),
        sources: four(
          sums.map((sum) => (sum.products.offset - products.offset) / 4),
          0,
        ),
        destinations: four(
          sums.map((sum) => (sum.destination.offset - destination.offset) / 4),
          0,
        ),
      },
      bindings: [products, destination],
      workgroups: foldWorkgroups(end),
      work: {
        flops: sums.reduce((sum, { slices, elements }) => sum + slices * elements, 0),
        bytes: sums.reduce((sum, { slices, elements }) => sum + 4 * (slices + 1) * elements, 0),
      },
    });
  }
}
