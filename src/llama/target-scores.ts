import { allFinite } from '../fields/finite';
import { sliceElements, writeElements, type Slice } from '../gpu/buffers';
import type { Gpu } from '../gpu/device';
import { makeOwned } from '../gpu/ownership';
import { recordProgram, submitPrograms, type Program } from '../gpu/program';
import { createReadRing } from '../gpu/read-ring';
import { IGNORED_TARGET } from '../kernels/cross-entropy';
import { embeddingForward } from '../kernels/embedding';
import { recordLoss } from './forward';
import { prepareForward } from './inference';
import type { ModelView } from './model';
import { allocate, type BatchShape } from './workspace';

/** Rows to score are padded to a multiple of this, so that a shape has few head programs. */
const ROW_STEP = 256;

/** Batches that may be on their way at once; one more is refused. */
export const SCORES_IN_FLIGHT = 3;

/** What a model says of chosen tokens: one entry a scored row. */
export interface TargetScores {
  /** −ln p(target) in nats. */
  losses: Float32Array;
  /** Tokens that greedy decoding prefers to the target: 0 where it would have written it. */
  ranks: Uint32Array;
}

/** A model with its programs for scoring chosen tokens in windows of one batch shape. */
export interface TargetScorer {
  shape: BatchShape;
  /**
   * Scores `targets[i]` as the token after row `rows[i]` of `tokens` [B·T]. One submit; up to
   * SCORES_IN_FLIGHT calls may be under way.
   *
   * @throws NotFiniteError when a loss is NaN or infinite: some logit of its row is (cross_entropy.wgsl), and then
   *   its rank says nothing either, since no comparison with NaN holds.
   */
  score(tokens: Uint32Array, rows: readonly number[], targets: readonly number[]): Promise<TargetScores>;
  destroy(): void;
}

/**
 * The head works on the rows to be scored only, gathered first: of a long context and a short answer that
 * is a small part of all rows, and the head a large part of a small model.
 */
export function createTargetScorer(
  gpu: Gpu,
  label: string,
  model: ModelView,
  shape: BatchShape,
): Promise<TargetScorer> {
  return makeOwned(async (owner) => {
    const { own } = owner;
    const { hiddenSize: hidden } = model.config;
    const capacity = shape.batch * shape.context;
    const forward = await prepareForward(gpu, label, model, shape, owner);
    const { tokens: windowTokens, targets: targetSlice, losses, logits } = forward.workspace;
    const buffers = own(
      allocate(gpu, label, [
        { name: 'scored rows', elements: capacity },
        { name: 'gathered', elements: capacity * hidden },
        { name: 'ranks', elements: capacity },
      ]),
    );
    const scoredRows = buffers.slice('scored rows');
    const gathered = buffers.slice('gathered');
    const ranks = buffers.slice('ranks');
    const ringOf = (what: string) =>
      own(createReadRing(gpu, `${label} ${what}`, capacity * 4, SCORES_IN_FLIGHT));
    const lossRing = ringOf('losses');
    const rankRing = ringOf('ranks');

    const heads = new Map<number, Promise<Program>>();
    const recordHead = async (count: number) => {
      const first = (slice: Slice, width = 1) => sliceElements(slice, 0, count * width);
      return own(
        await recordProgram(gpu, `${label} head`, (r) => {
          embeddingForward(r, {
            table: forward.normed,
            tokens: first(scoredRows),
            output: first(gathered, hidden),
            rows: count,
            hidden,
            label: 'gather scored rows',
          });
          const at = { normed: gathered, targets: targetSlice, losses, logits, ranks };
          recordLoss(r, model, at, { batch: 1, context: count });
        }),
      );
    };
    const headFor = (rows: number) => {
      const count = Math.min(capacity, Math.ceil(rows / ROW_STEP) * ROW_STEP);
      const head = heads.get(count) ?? recordHead(count);
      heads.set(count, head);
      // What was refused once is made again the next time.
      head.catch(() => heads.delete(count));
      return head;
    };

    return {
      shape,
      async score(tokens: Uint32Array, rows: readonly number[], targets: readonly number[]) {
        const head = await headFor(rows.length);
        const paddedRows = new Uint32Array(capacity);
        paddedRows.set(rows);
        const paddedTargets = new Uint32Array(capacity).fill(IGNORED_TARGET);
        paddedTargets.set(targets);
        writeElements(gpu, windowTokens, tokens);
        writeElements(gpu, scoredRows, paddedRows);
        writeElements(gpu, targetSlice, paddedTargets);
        const reads = [lossRing.take(), rankRing.take()] as const;
        submitPrograms(gpu, [forward.program, head], (encoder) => {
          reads[0].copy(encoder, losses);
          reads[1].copy(encoder, ranks);
        });
        const [lossBytes, rankBytes] = await Promise.all([reads[0].bytes(), reads[1].bytes()]);
        return {
          losses: allFinite(new Float32Array(lossBytes, 0, rows.length), `The score of a token (${label})`),
          ranks: new Uint32Array(rankBytes, 0, rows.length),
        };
      },
    };
  });
}
