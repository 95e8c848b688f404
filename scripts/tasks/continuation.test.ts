import { expect, it } from 'vitest';
import { continuations } from './continuation.mjs';

/** Five documents of different words between the same short ones. */
const documents = ['red', 'blue', 'green', 'white', 'black'].map((colour) =>
  Array.from(
    { length: 30 },
    (_, i) => `The ${colour}${i} of the ${colour}${i + 1} is in the ${colour}${i + 2} here.`,
  ).join(' '),
);
const candidates = continuations(documents);

it('continues as the document does, from a space to the end of a word', () => {
  expect(candidates.length).toBeGreaterThan(20);
  for (const { context, answer } of candidates) {
    const document = documents.find((text) => text.includes(context))!;
    expect(document).toContain(context + answer);
    expect(context).toMatch(/^The .*\S$/);
    expect(answer).toMatch(/^ \S.*\S$/);
    expect(answer.length).toBeGreaterThanOrEqual(48);
  }
});

it('takes distractors from three other documents, after the word that ends the context', () => {
  for (const { context, answer, distractors } of candidates) {
    const word = context.split(' ').at(-1)!;
    const home = documents.findIndex((text) => text.includes(context + answer));
    const homes = distractors.map((one) => documents.findIndex((text) => text.includes(`${word}${one}`)));
    expect(new Set([home, ...homes]).size).toBe(4);
    expect(homes).not.toContain(-1);
    for (const { length } of distractors) expect(Math.abs(length - answer.length)).toBeLessThan(24);
  }
});

it('asks for no text twice', () => {
  const first = candidates.filter(({ context }) => documents[0]!.includes(context));
  const ends = first.map(
    ({ context, answer }) => documents[0]!.indexOf(context) + context.length + answer.length,
  );
  first
    .slice(1)
    .forEach(({ context }, i) => expect(documents[0]!.indexOf(context)).toBeGreaterThanOrEqual(ends[i]!));
});

it('makes nothing of fewer than four documents', () => {
  expect(continuations(documents.slice(0, 3))).toEqual([]);
});
