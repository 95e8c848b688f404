import { ParagraphFilter } from './dedup.mjs';
import { fraction } from './hash.mjs';
import { withoutSlurs } from './offensive.mjs';
import { cleanText } from './text.mjs';

/**
 * @typedef {import('./text.mjs').Document} Document
 * @typedef {import('./recipe.mjs').Domain} Domain
 * @typedef {Document & { source: string, order: number }} Chosen
 * @typedef {{ train: Chosen[], validation: Chosen[] }} Split
 */

const MIN_DOCUMENT = 200;
/** Validation documents are cut here, so that many short ones fit rather than a few long ones. */
const MAX_VALIDATION_DOCUMENT = 24_000;
/** No source is asked for more characters than these for its domain: above the token budget at any density. */
export const CHARACTERS = { train: 6_000_000, validation: 500_000 };

/**
 * Splits by document first, then cleans, removes repeats (validation first) and takes each source's share.
 * @param {Domain} domain
 * @param {(source: Domain['sources'][number]) => Document[]} read
 * @returns {Split}
 */
export function selectDocuments(domain, read) {
  const validationFraction = domain.validationFraction ?? 0.08;
  const documents = domain.sources.flatMap((source) =>
    read(source).map((document) => ({
      ...document,
      source: source.name,
      order: fraction('order', domain.name, source.name, document.id),
      held: fraction('split', domain.name, source.name, document.id) < validationFraction,
    })),
  );
  documents.sort((a, b) => Number(b.held) - Number(a.held) || a.order - b.order);
  const filter = new ParagraphFilter();
  const clean = documents
    .map(({ held, ...document }) => {
      const text = withoutSlurs(cleanText(document.text));
      return {
        ...document,
        held,
        text: filter.filter(held ? cut(text, MAX_VALIDATION_DOCUMENT) : text).trim(),
      };
    })
    .filter(({ text }) => text.length >= MIN_DOCUMENT);
  const pick = (/** @type {boolean} */ held, /** @type {number} */ characters) =>
    takeShares(
      domain,
      clean.filter((document) => document.held === held),
      characters,
    );
  return { train: pick(false, CHARACTERS.train), validation: pick(true, CHARACTERS.validation) };
}

/** @param {string} text @param {number} length */
function cut(text, length) {
  if (text.length <= length) return text;
  const end = Math.max(text.lastIndexOf('\n', length), text.lastIndexOf('. ', length) + 1);
  return text.slice(0, end > length / 2 ? end : length).trim();
}

/**
 * Documents in order, each source up to its share (what a small source leaves goes to the others), then shuffled
 * by another hash: a long source would otherwise fill the beginning.
 * @template {Chosen} T
 * @param {Domain} domain
 * @param {T[]} documents
 * @param {number} characters
 */
function takeShares(domain, documents, characters) {
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
