import { join } from 'node:path';
import { listFiles, readText } from '../files.mjs';

/** State of the Union addresses since 1790: one document an address. */
export const stateOfTheUnion = (/** @type {string} */ root) =>
  listFiles(join(root, 'data'), ['.txt']).map((path) => ({
    id: path,
    text: readText(join(root, 'data', path)).replace(/\s*\n\s*/g, '\n\n'),
  }));
