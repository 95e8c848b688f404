import type { Slice } from '../gpu/buffers';

/**
 * Column sums over rows without atomics: [blocks, columns] f32. Block p of a kernel writes its own sums to
 * row p for the columns of its site; `columnSum` then adds the rows in a fixed order.
 */
export interface Partials {
  slice: Slice;
  /** Row blocks P. */
  blocks: number;
  /** Columns C of all sites together. */
  columns: number;
}
