import { finite } from '../../fields/finite';
import { evaluationWindows } from '../../data/sampler';
import { evaluateSets, evaluationBatch, meanLoss } from '../../llama/evaluate';
import { withModel } from '../../llama/inference';
import { readTestText } from '../../report/text';
import { ALL_WINDOWS } from '../../run/run-size';
import type { SourceModel } from '../../run/run-context';
import { openCorpusFor, openModel, readSiteFile, type OpenedModel } from '../files';
import { openCommandGpu } from '../gpu';
import { createProgress, secondsLeft } from '../progress';
import { readSequences } from '../sequences';
import { numberOption, UsageError, type Answer, type Command, type CommandInput } from '../command';

export const perplexity: Command = {
  name: 'perplexity',
  aliases: ['eval'],
  argument: { name: 'MODEL' },
  summary: 'loss and perplexity by domain, or over token sequences of your own',
  options: {
    split: { value: 'validation|test', help: 'held-out text to measure on (validation)' },
    windows: { value: 'N', help: 'at most so many windows of each domain (all)' },
    context: { value: 'T', help: 'tokens in a window (128, or what the model reads)' },
    tokens: { value: 'FILE', help: 'instead: a JSON array of token sequences, each measured as a whole' },
  },
  run: measurePerplexity,
};

async function measurePerplexity({ positionals, options }: CommandInput): Promise<Answer> {
  const { tokens, windows, context, split } = options;
  if (tokens !== undefined && [windows, context, split].some((option) => option !== undefined)) {
    throw new UsageError(
      '--tokens measures whole sequences of its own: leave out --windows, --context and --split.',
    );
  }
  const model = await openModel(positionals[0]!);
  return typeof tokens === 'string'
    ? evaluateSequences(model.source, tokens)
    : evaluateDomains(model, options);
}

/** @throws NotFiniteError for a loss above 709 nats, whose exponential no number holds */
const perplexityOf = (loss: number) => finite(Math.exp(loss), `The perplexity of a loss of ${loss} nats`);

/** Mean next-token cross-entropy over token sequences of any lengths ≥ 2. */
async function evaluateSequences(source: SourceModel, file: string): Promise<Answer> {
  const sequences = await readSequences('--tokens', file, source.config);
  const gpu = await openCommandGpu();
  // Not Math.max(...): a list of hundreds of thousands is more arguments than a call can have.
  const context = sequences.reduce((longest, s) => Math.max(longest, s.length), 0);
  const batch = Math.min(evaluationBatch(context), sequences.length);
  let nats = 0;
  let predictions = 0;
  await withModel(gpu, source.name, source, { batch, context }, async (inference) => {
    for (let first = 0; first < sequences.length; first += batch) {
      const part = sequences.slice(first, first + batch);
      const tokens = new Uint32Array(batch * context);
      // What stands behind a shorter sequence is never seen by its own positions: attention is causal.
      part.forEach((s, i) => tokens.set(s, i * context));
      const losses = await inference.losses(tokens);
      part.forEach((s, i) => {
        for (let t = 0; t < s.length - 1; t++) nats += losses[i * context + t]!;
        finite(nats, `The loss of ${source.name} on sequence ${first + i + 1}`);
        predictions += s.length - 1;
      });
    }
  });
  gpu.throwOnError();
  const loss = nats / predictions;
  return {
    json: {
      loss,
      perplexity: perplexityOf(loss),
      tokens: predictions,
      sequences: sequences.length,
      adapter: gpu.adapter,
    },
    text: `loss ${loss.toFixed(5)}, perplexity ${perplexityOf(loss).toFixed(3)} over ${predictions} tokens`,
  };
}

async function evaluateDomains(opened: OpenedModel, options: CommandInput['options']): Promise<Answer> {
  const { source } = opened;
  const limit = source.config.maxPositionEmbeddings;
  const context = numberOption(options, 'context', Math.min(128, limit), [2, limit]);
  const windows = numberOption(options, 'windows', ALL_WINDOWS, [1, ALL_WINDOWS]);
  const split = options['split'] ?? 'validation';
  if (split !== 'validation' && split !== 'test') throw new UsageError('--split must be validation or test.');
  const corpus = await openCorpusFor(opened, 0);
  const sets =
    split === 'test'
      ? (await readTestText(readSiteFile, corpus, context, windows)).map((text) => text.windows)
      : corpus.domains.map((d) => evaluationWindows(d, context, windows));
  const gpu = await openCommandGpu();
  const progress = createProgress();
  const shape = { batch: evaluationBatch(context), context };
  const sums = await withModel(gpu, source.name, source, shape, (inference) => {
    const started = performance.now();
    return evaluateSets(inference, sets, (done, total) => {
      const left = secondsLeft(performance.now() - started, done, total);
      progress.say(`${done} of ${total} windows, ${left}`);
    });
  });
  progress.end();
  gpu.throwOnError();
  const domains = Object.fromEntries(
    sums.map((sum, i) => [
      corpus.domains[i]!.name,
      { loss: meanLoss(sum), perplexity: perplexityOf(meanLoss(sum)), tokens: sum.predictions },
    ]),
  );
  const weights = corpus.domains.map((d) => d.weight);
  const total = weights.reduce((a, b) => a + b, 0);
  const loss = sums.reduce((mean, sum, i) => mean + (weights[i]! / total) * meanLoss(sum), 0);
  const tokens = sums.reduce((count, sum) => count + sum.predictions, 0);
  const rows = Object.entries(domains).map(
    ([name, d]) =>
      `${name.padEnd(14)} loss ${d.loss.toFixed(4)}  perplexity ${d.perplexity.toFixed(2)}  tokens ${d.tokens}`,
  );
  return {
    json: { loss, perplexity: perplexityOf(loss), tokens, split, context, domains, adapter: gpu.adapter },
    text: [
      ...rows,
      `${'mixture'.padEnd(14)} loss ${loss.toFixed(4)}  perplexity ${perplexityOf(loss).toFixed(2)}`,
    ].join('\n'),
  };
}
