import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './hash.mjs';

export const SHARD_TOKENS = 262_144;
export const EOS = 0;

/**
 * Encodes documents in their order, each followed by the end-of-text token, until the next would not fit.
 * @template {{ text: string }} T
 * @param {T[]} documents
 * @param {(text: string) => number[]} encode
 * @param {number} budget tokens
 */
export function tokenise(documents, encode, budget) {
  const tokens = new Uint16Array(budget);
  /** @type {T[]} */
  const used = [];
  let length = 0;
  for (const document of documents) {
    const ids = encode(document.text);
    if (length + ids.length + 1 > budget) continue;
    tokens.set(ids, length);
    length += ids.length;
    tokens[length++] = EOS;
    used.push(document);
  }
  return { tokens: tokens.subarray(0, length), used };
}

/**
 * Writes little-endian 16-bit tokens; returns the manifest entry.
 * @param {string} folder
 * @param {string} file
 * @param {Uint16Array} tokens
 */
export function writeShard(folder, file, tokens) {
  const bytes = Buffer.alloc(tokens.length * 2);
  tokens.forEach((token, i) => bytes.writeUInt16LE(token, 2 * i));
  writeFileSync(join(folder, file), bytes);
  return { file, tokens: tokens.length, sha256: sha256(bytes) };
}
