import { HeldOutRuns, ParagraphFilter } from './dedup.mjs';
import { fraction } from './hash.mjs';
import { withoutSlurs } from './offensive.mjs';
import { cleanText } from './text.mjs';

/**
 * @typedef {import('./text.mjs').Document} Document
 * @typedef {import('./recipe.mjs').Domain} Domain
 * @typedef {import('./recipe.mjs').Source} Source
 * @typedef {'train' | 'validation' | 'test'} Split
 * @typedef {Document & { domain: string, source: string, split: Split, order: number }} Chosen
 */

const MIN_DOCUMENT = 200;
/** Held-out documents are cut here, so that many short ones fit rather than a few long ones. */
const MAX_HELD_OUT_DOCUMENT = 24_000;
/** Of the documents of a domain: validation gets this share, and test as much again. */
const HELD_OUT_FRACTION = 0.08;

/**
 * Splits by document first, then cleans, and removes repeats across the whole corpus: validation is read first,
 * then test, then training, which also loses every paragraph that shares a long run of words with held-out text.
 * @param {Domain[]} domains
 * @param {(source: Source) => Document[]} read
 * @returns {Chosen[]} in an order that depends on their names alone
 */
export function selectDocuments(domains, read) {
  const documents = domains
    .flatMap((domain) => domain.sources.flatMap((source) => read(source).map(placed(domain, source))))
    .sort((a, b) => a.order - b.order);
  const filter = new ParagraphFilter();
  const heldOutRuns = new HeldOutRuns();
  const chosen = (/** @type {Split} */ split) =>
    documents
      .filter((document) => document.split === split)
      .map((document) => {
        const text = withoutSlurs(cleanText(document.text));
        const own = split === 'train' ? heldOutRuns.without(text) : cut(text, MAX_HELD_OUT_DOCUMENT);
        return { ...document, text: filter.filter(own).trim() };
      })
      .filter(({ text }) => text.length >= MIN_DOCUMENT);
  const heldOut = [...chosen('validation'), ...chosen('test')];
  for (const { text } of heldOut) heldOutRuns.add(text);
  return [...heldOut, ...chosen('train')];
}

/** @param {Domain} domain @param {Source} source @returns {(document: Document) => Chosen} */
const placed = (domain, source) => (document) => {
  const heldOut = domain.heldOutFraction ?? HELD_OUT_FRACTION;
  const place = fraction('split', domain.name, source.name, document.group ?? document.id);
  return {
    ...document,
    domain: domain.name,
    source: source.name,
    split: place < heldOut ? 'validation' : place < 2 * heldOut ? 'test' : 'train',
    order: fraction('order', domain.name, source.name, document.id),
  };
};

/** @param {string} text @param {number} length */
function cut(text, length) {
  if (text.length <= length) return text;
  const end = Math.max(text.lastIndexOf('\n', length), text.lastIndexOf('. ', length) + 1);
  return text.slice(0, end > length / 2 ? end : length).trim();
}

/**
 * Documents in order, each source up to its share of `characters` (what a small source leaves goes to the
 * others), then shuffled by another hash: a long source would otherwise fill the beginning.
 * @param {Domain} domain
 * @param {Chosen[]} documents
 * @param {number} characters
 */
export function takeShares(domain, documents, characters) {
  const sizes = new Map(domain.sources.map(({ name }) => [name, 0]));
  for (const { source, text } of documents) sizes.set(source, (sizes.get(source) ?? 0) + text.length);
  const quotas = fillShares(
    domain.sources.map(({ name, share }) => ({ name, share, size: sizes.get(name) ?? 0 })),
    characters,
  );
  const taken = new Map();
  return documents
    .filter(({ source, text }) => {
      const before = taken.get(source) ?? 0;
      taken.set(source, before + text.length);
      return before < (quotas.get(source) ?? 0);
    })
    .map((document) => ({ document, place: fraction('shuffle', domain.name, document.source, document.id) }))
    .sort((a, b) => a.place - b.place)
    .map(({ document }) => document);
}

/**
 * @param {{ name: string, share: number, size: number }[]} sources
 * @param {number} total
 */
export function fillShares(sources, total) {
  /** @type {Map<string, number>} */
  const quotas = new Map();
  let open = sources;
  let left = total;
  while (open.length) {
    const shares = open.reduce((sum, { share }) => sum + share, 0);
    const small = open.filter(({ share, size }) => size <= (left * share) / shares);
    if (!small.length) {
      for (const { name, share } of open) quotas.set(name, (left * share) / shares);
      break;
    }
    for (const { name, size } of small) quotas.set(name, size);
    left -= small.reduce((sum, { size }) => sum + size, 0);
    open = open.filter((source) => !small.includes(source));
  }
  return quotas;
}
