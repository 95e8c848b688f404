import { createHash } from 'node:crypto';

/** Changing the seed changes the split and every shuffle. */
export const SEED = 'shear-lab-1';

/** @param {string | Uint8Array} data */
export const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/**
 * A reproducible number in [0, 1) for a name: orders documents and decides the split.
 * It depends on the name alone, so a document stays in its split when its neighbours change.
 * @param {...string} parts
 */
export const fraction = (...parts) =>
  createHash('sha256')
    .update([SEED, ...parts].join('\0'))
    .digest()
    .readUInt32BE(0) /
  2 ** 32;
