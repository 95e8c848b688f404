import type { Tokenizer } from '../data/tokenizer';
import type { UnderDeadline } from './heartbeat';

/**
 * A tokenizer from outside brings regular expressions, which may take for ever on some text: `(a+)+$` does on
 * thirty letters. JavaScript cannot interrupt one, so the page ends the worker that is at it.
 */
const SECONDS = 10;
const WHAT = 'tokenizer.json: its rules (regular expressions)';

/** Long runs of one kind of character and an end that fits none: where expressions with nested repeats give up. */
const PROBE = ['a', 'A', '1', ' ', '.', '\n', 'é', '東']
  .map((character) => `${character.repeat(60)}!`)
  .join('');

/** Loads a tokenizer from outside under a deadline, tries it on hard text, and keeps its every use under it. */
export function guardTokenizer(
  load: () => Tokenizer | null,
  underDeadline: UnderDeadline = (_what, _seconds, work) => work(),
): Tokenizer | null {
  const within = <T>(work: () => T): T => underDeadline(WHAT, SECONDS, work);
  const tokenizer = within(() => {
    const loaded = load();
    loaded?.encode(PROBE);
    return loaded;
  });
  if (!tokenizer) return null;
  return {
    ...tokenizer,
    encode: (text) => within(() => tokenizer.encode(text)),
    decode: (ids) => within(() => tokenizer.decode(ids)),
  };
}
