import { inflateSync } from 'node:zlib';

const STRING_VECTOR = 16;
const CHARACTER_STRING = 9;

/**
 * The character vectors in an R lazy-load data file: blocks of a big-endian length and a zlib stream, each an
 * object in R's XDR serialisation (version 3: header, native encoding, then the object).
 * @param {Buffer} data
 * @returns {string[][]}
 */
export function readCharacterVectors(data) {
  const vectors = [];
  for (let at = 0; at < data.length;) {
    const { buffer, engine } = /** @type {{ buffer: Buffer, engine: { bytesWritten: number } }} */ (
      /** @type {unknown} */ (inflateSync(data.subarray(at + 4), { info: true }))
    );
    at += 4 + engine.bytesWritten;
    const vector = parseStringVector(buffer);
    if (vector) vectors.push(vector);
  }
  return vectors;
}

/** @param {Buffer} block */
function parseStringVector(block) {
  if (block.toString('latin1', 0, 2) !== 'X\n' || block.readInt32BE(2) !== 3) return null;
  let at = 2 + 12;
  at += 4 + block.readInt32BE(at);
  if ((block.readInt32BE(at) & 0xff) !== STRING_VECTOR) return null;
  const count = block.readInt32BE(at + 4);
  at += 8;
  const strings = [];
  for (let i = 0; i < count; i++) {
    if ((block.readInt32BE(at) & 0xff) !== CHARACTER_STRING)
      throw new Error('unexpected element in an R string vector');
    const length = Math.max(0, block.readInt32BE(at + 4));
    strings.push(block.toString('utf8', at + 8, at + 8 + length));
    at += 8 + length;
  }
  return strings;
}
