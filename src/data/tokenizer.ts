import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { checked, plain, refuse, wholeNumber } from '../formats/refusal';

/** Text to token ids and back. */
export interface Tokenizer {
  /** Entries of the vocabulary, added tokens included: one more than the largest id. */
  vocabSize: number;
  /** Every token's id by its content, added tokens included. */
  ids: ReadonlyMap<string, number>;
  /** Ids of `text`, without special tokens before or after it. */
  encode(text: string): number[];
  /** Special tokens are left out; an incomplete character at an end becomes U+FFFD. */
  decode(ids: readonly number[]): string;
}

const FILE = 'tokenizer.json';
const MAX_VOCABULARY = 1_048_576;
const id = wholeNumber(0, MAX_VOCABULARY - 1);
const step = z.looseObject({ type: z.string().max(60) }).nullish();

/** What every tokenizer.json has, whatever its kind. The library reads the rest. */
const tokenizerSchema = z.looseObject({
  added_tokens: z
    .array(z.looseObject({ id, content: z.string().min(1).max(1000) }))
    .max(MAX_VOCABULARY)
    .nullish(),
  normalizer: step,
  pre_tokenizer: step,
  post_processor: step,
  decoder: step,
  model: z.looseObject({
    type: z.literal(['BPE', 'WordPiece', 'Unigram', 'WordLevel']).optional(),
    vocab: z.union([z.record(z.string(), id), z.array(z.tuple([z.string(), z.number()]))], {
      error: 'must be an object of token ids, or a list of [token, score]',
    }),
    merges: z
      .array(z.union([z.string(), z.tuple([z.string(), z.string()])], { error: 'must be a pair of tokens' }))
      .optional(),
  }),
});

const configSchema = z.looseObject({}).nullish();

/**
 * Makes a tokenizer from a parsed tokenizer.json and, where there is one, tokenizer_config.json. It encodes
 * and decodes once before it is given out, so that a file which loads but cannot work is refused here.
 *
 * @throws InputError in one sentence.
 */
export function loadTokenizer(tokenizerJson: unknown, tokenizerConfigJson: unknown = null): Tokenizer {
  const json = checked(tokenizerSchema, tokenizerJson, FILE);
  const config = checked(configSchema, tokenizerConfigJson, 'tokenizer_config.json');
  const { vocab } = json.model;
  const ids = new Map(
    Array.isArray(vocab) ? vocab.map(([content], index) => [content, index]) : Object.entries(vocab),
  );
  for (const token of json.added_tokens ?? []) ids.set(token.content, token.id);
  let vocabSize = 0;
  for (const value of ids.values()) vocabSize = Math.max(vocabSize, value + 1);
  if (vocabSize === 0) refuse(FILE, 'model.vocab must have at least one token');

  try {
    const tokenizer = new HuggingFaceTokenizer(
      {
        normalizer: null,
        pre_tokenizer: null,
        post_processor: null,
        decoder: null,
        ...json,
        added_tokens: json.added_tokens ?? [],
      },
      // Without a config the library would remove spaces before punctuation: the text would not come back.
      { clean_up_tokenization_spaces: false, ...config },
    );
    const wrapped: Tokenizer = {
      vocabSize,
      ids,
      encode: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
      decode: (tokens) => (tokens.length ? tokenizer.decode([...tokens], { skip_special_tokens: true }) : ''),
    };
    const probe = wrapped.encode('A try, of 2 lines:\n é');
    if (probe.some((token) => !(Number.isInteger(token) && token >= 0 && token < vocabSize))) {
      refuse(FILE, 'model.vocab lacks the tokens that its own rules ask for');
    }
    wrapped.decode(probe);
    return wrapped;
  } catch (error) {
    if (error instanceof Error && error.name === 'InputError') throw error;
    const kind = plain(json.model.type ?? 'unknown type');
    return refuse(FILE, `its rules (model ${kind}) are incomplete or of a kind that the lab cannot run`);
  }
}
