import { readTask, readTaskIndex, chooseTasks, limitItems } from '../../evaluation/read-tasks';
import { headline, type Estimate, type TaskResult } from '../../evaluation/result';
import { resultJson } from '../../evaluation/result-json';
import { scoreTasks } from '../../evaluation/score-tasks';
import { parameterLayout } from '../../llama/parameters';
import { openModel, readSiteFile, tokenizerOf } from '../files';
import { openCommandGpu } from '../gpu';
import { createProgress, secondsLeft } from '../progress';
import { numberOption, type Answer, type Command, type CommandInput } from '../command';

const MOST_ITEMS = 100_000;

export const tasks: Command = {
  name: 'tasks',
  aliases: ['evaluate'],
  argument: { name: 'MODEL' },
  summary: 'accuracy on the bundled tasks with 95 % intervals',
  options: {
    tasks: { value: 'all|NAME,NAME', help: 'which tasks (all)' },
    limit: { value: 'N', help: 'the first N items of each task (all)' },
  },
  run: scoreModel,
};

/** Scores a model on the bundled tasks. */
async function scoreModel({ positionals, options }: CommandInput): Promise<Answer> {
  const names = options['tasks'] ?? 'all';
  const limit = numberOption(options, 'limit', MOST_ITEMS, [1, MOST_ITEMS]);
  const opened = await openModel(positionals[0]!);
  const { source } = opened;
  const tokenizer = tokenizerOf(opened);
  if (!tokenizer) throw new Error('tokenizer.json is missing from the model folder, so text cannot be read.');
  const read = (path: string) => readSiteFile(`tasks/${path}`);
  const index = await readTaskIndex(read);
  const chosen = chooseTasks(index, names === 'all' ? 'all' : String(names).split(','));
  const chosenTasks = await Promise.all(
    chosen.map(async (info) => limitItems(await readTask(read, info), limit)),
  );

  const gpu = await openCommandGpu();
  const progress = createProgress();
  const started = performance.now();
  const results = await scoreTasks(gpu, source, tokenizer, chosenTasks, {
    between({ task, items, totalItems, share }) {
      if (share === 0) return;
      const left = secondsLeft(performance.now() - started, share, 1);
      progress.say(`${items} of ${totalItems} items, ${task}, ${left}`);
    },
  });
  progress.end();
  return {
    json: {
      model: {
        name: source.name,
        parameters: parameterLayout(source.config).parameterCount,
        weights_sha256: source.weightsSha256,
      },
      adapter: gpu.adapter,
      corpus_manifest_sha256: index.corpus_manifest_sha256,
      seconds: (performance.now() - started) / 1000,
      tasks: results.map(resultJson),
    },
    text: table(results),
  };
}

function table(results: readonly TaskResult[]): string {
  const rows = results.map((result) => [
    result.task.name,
    String(result.items),
    percent(result.task.chance),
    withInterval(headline(result)),
    result.task.metric,
    result.perplexity ? `${result.perplexity.value.toFixed(1)} a word` : '',
  ]);
  const all = [['task', 'items', 'chance', 'accuracy [95 %]', 'metric', 'perplexity'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function withInterval({ value, low, high }: Estimate): string {
  return `${percent(value)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
}
