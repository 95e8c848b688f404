import { expect, it } from 'vitest';
import { ParagraphFilter } from './dedup.mjs';

const LONG =
  'The value of this parameter has to be given in bytes, and it is read once when the server starts, so that a ' +
  'change takes effect only after the next restart of the whole cluster and of every standby that follows it.';

it('drops a repeat that differs in case, digits and punctuation only', () => {
  const filter = new ParagraphFilter();
  expect(filter.filter(`${LONG}\n\nshort`)).toBe(`${LONG}\n\nshort`);
  expect(filter.filter(`Version 15: ${LONG}\n\n${LONG.toUpperCase()}!\n\nshort`)).not.toContain(
    LONG.toUpperCase(),
  );
});

it('drops a near repeat and keeps another paragraph', () => {
  const filter = new ParagraphFilter();
  filter.filter(LONG);
  const changedEnd = LONG.replace('follows it.', 'follows.');
  const other = LONG.split(' ').reverse().join(' ');
  expect(filter.filter(`${changedEnd}\n\n${other}`)).toBe(other);
});

it('keeps short paragraphs however often they come', () => {
  const filter = new ParagraphFilter();
  expect(filter.filter('Description\n\nDescription')).toBe('Description\n\nDescription');
});
