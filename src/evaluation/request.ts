import type { Tokenizer } from '../data/tokenizer';
import { InputError, plain } from '../formats/refusal';
import type { LlamaConfig } from '../llama/config';

/** A continuation to be scored after its context. */
export interface Request {
  /** Context, then continuation: one token more than the model reads. */
  tokens: number[];
  /** How many of the last tokens are the continuation's. */
  scored: number;
  /** The context lost its beginning. */
  truncated: boolean;
}

/**
 * Requests for continuations of one context, made as lm-evaluation-harness makes them (v0.4,
 * lm_eval/api/model.py, `_encode_pair` and `loglikelihood`; lm_eval/models/huggingface.py,
 * `_loglikelihood_tokens`): spaces at the context's end move to the continuation; both are encoded together
 * and split where the context alone ends; an empty context is the BOS token, or else the end-of-text token;
 * what does not fit is cut off on the left. No BOS token is put before other contexts.
 *
 * @throws InputError in one sentence, when a continuation has no token or more than the model can read.
 */
export function encodeRequests(
  tokenizer: Tokenizer,
  config: Pick<LlamaConfig, 'maxPositionEmbeddings' | 'bosTokenId' | 'eosTokenId'>,
  item: { id: string; context: string },
  continuations: readonly string[],
): Request[] {
  const context = item.context.trimEnd();
  const spaces = item.context.slice(context.length);
  const contextTokens = context === '' ? startOf(config) : tokenizer.encode(context);
  return continuations.map((text) => {
    const tokens =
      context === ''
        ? [...contextTokens, ...tokenizer.encode(spaces + text)]
        : tokenizer.encode(context + spaces + text);
    const scored = tokens.length - contextTokens.length;
    const limit = config.maxPositionEmbeddings;
    if (scored < 1 || scored > limit) {
      throw new InputError(
        `The item ${plain(item.id)} has an answer of ${Math.max(0, scored)} tokens with this model's tokenizer, which cannot be scored: the model reads 1 to ${limit}.`,
      );
    }
    return { tokens: tokens.slice(-(limit + 1)), scored, truncated: tokens.length > limit + 1 };
  });
}

function startOf({ bosTokenId, eosTokenId }: Pick<LlamaConfig, 'bosTokenId' | 'eosTokenId'>): number[] {
  const token = bosTokenId ?? eosTokenId;
  if (token === null) {
    throw new InputError(
      'The model has neither bos_token_id nor eos_token_id in config.json, so an answer without a context has no token to follow.',
    );
  }
  return [token];
}
