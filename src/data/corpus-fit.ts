import { InputError, parseJson, quoted, refuse } from '../formats/refusal';
import type { LlamaConfig } from '../llama/config';
import type { CorpusManifest, CorpusReader } from './corpus';
import { loadTokenizer, type Tokenizer } from './tokenizer';

/** The tokenizer that the corpus' token ids were made with. @throws InputError; whatever `read` throws. */
export async function readCorpusTokenizer(read: CorpusReader, manifest: CorpusManifest): Promise<Tokenizer> {
  const { file } = manifest.tokenizer;
  return loadTokenizer(parseJson(await read(file), file));
}

/**
 * A model's own tokenizer, or null when its folder has none.
 *
 * @throws InputError when it is malformed or has ids that the model has no embedding for.
 */
export function loadModelTokenizer(
  config: Pick<LlamaConfig, 'vocabSize'>,
  tokenizerJson: unknown,
  tokenizerConfigJson: unknown,
): Tokenizer | null {
  if (tokenizerJson === null || tokenizerJson === undefined) return null;
  const tokenizer = loadTokenizer(tokenizerJson, tokenizerConfigJson);
  if (tokenizer.vocabSize > config.vocabSize) {
    refuse(
      'tokenizer.json',
      `it has token ids up to ${tokenizer.vocabSize - 1}, but vocab_size in config.json is ${config.vocabSize}; take both from the same model`,
    );
  }
  return tokenizer;
}

/** Cut differently by most tokenizers that share a vocabulary but not the rules around it. */
const PROBE = "It's 2026: the lab doesn't\n\tprune (a[i] <= 0.5) { naïve }  – 東京.";

/**
 * Checks that the corpus' token ids mean to a model what they mean to the corpus: a model may be trained and
 * measured on the corpus only then. Entries that the model's vocabulary has besides do no harm. Of a model
 * without a tokenizer only the size of the vocabulary can be compared: it has to be the same.
 *
 * @throws InputError in one sentence that says what can be done instead.
 */
export function checkCorpusFits(
  config: Pick<LlamaConfig, 'vocabSize'>,
  model: Tokenizer | null,
  corpus: Tokenizer,
): void {
  const difference = findDifference(config.vocabSize, model, corpus);
  if (difference === null) return;
  throw new InputError(
    `The model has another vocabulary than the bundled corpus (${difference}): choose a model with the corpus' tokenizer, or measure this one with "perplexity MODEL --tokens FILE" on the command line.`,
  );
}

function findDifference(vocabSize: number, model: Tokenizer | null, corpus: Tokenizer): string | null {
  if (corpus.vocabSize > vocabSize) return `${vocabSize} tokens, the corpus ${corpus.vocabSize}`;
  if (!model) {
    return vocabSize === corpus.vocabSize
      ? null
      : `${vocabSize} tokens, the corpus ${corpus.vocabSize}, and no tokenizer.json`;
  }
  for (const [content, id] of corpus.ids) {
    const other = model.ids.get(content);
    if (other !== id) return `${quoted(content)} is ${other ?? 'no token'}, in the corpus ${id}`;
  }
  const [ours, theirs] = [model.encode(PROBE), corpus.encode(PROBE)];
  return ours.join() === theirs.join() ? null : 'its tokenizer cuts text in other places';
}
