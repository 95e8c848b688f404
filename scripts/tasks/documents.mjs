import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { createEncoder } from '../corpus/bpe.mjs';

/**
 * The lab's tokenizer: the library decodes, so that text comes back as it was; the corpus' own encoder, which is
 * several times faster and gives the same ids, encodes.
 * @param {string} corpus folder of the corpus
 */
export function openTokenizer(corpus) {
  const json = JSON.parse(readFileSync(join(corpus, 'tokenizer.json'), 'utf8'));
  const library = new Tokenizer(json, { clean_up_tokenization_spaces: false });
  /** @type {[string, number][]} */
  const vocabulary = Object.entries(json.model.vocab);
  const symbols = vocabulary.sort(([, a], [, b]) => a - b).map(([symbol]) => symbol);
  return {
    encode: createEncoder({ symbols, merges: json.model.merges }),
    decode: (/** @type {number[]} */ ids) => library.decode(ids),
  };
}

/**
 * The documents of a stream of little-endian 16-bit tokens, each ended by `eos`.
 * @param {Buffer} bytes
 * @param {number} eos
 * @param {(ids: number[]) => string} decode
 */
export function decodeDocuments(bytes, eos, decode) {
  /** @type {number[][]} */
  const documents = [[]];
  for (let at = 0; at < bytes.length; at += 2) {
    const id = bytes.readUInt16LE(at);
    if (id === eos) documents.push([]);
    else documents.at(-1)?.push(id);
  }
  return documents.filter((ids) => ids.length > 0).map(decode);
}
