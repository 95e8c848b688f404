import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../data/tokenizer';
import { parseLlamaConfig } from '../formats/hugging-face';
import { smallTensors, valuesOf } from '../formats/testing';
import { testGpu } from '../kernels/testing';
import { packParameters, parameterLayout } from '../llama/parameters';
import { resultJson } from './result-json';
import type { TaskResult } from './result';
import { scoreTasks, type ScoringProgress } from './score-tasks';
import { parseTask, type Task } from './task';

/** Against lm-evaluation-harness itself, with a Hugging Face model in float64 (scripts/reference/harness.py). */

interface HarnessTask {
  name: string;
  items: { context: string; choices?: string[]; answer?: number; word?: string; log_likelihoods: number[] }[];
  acc: number;
  acc_stderr: number;
  acc_norm?: number;
  acc_norm_stderr?: number;
  perplexity?: number;
}
const harness = JSON.parse(readFileSync('scripts/reference/harness.json', 'utf8')) as {
  config: object;
  tokenizer: unknown;
  tasks: HarnessTask[];
};

function taskOf({ name, items }: HarnessTask): Task {
  const common = {
    name,
    title: name,
    description: '',
    domain: null,
    metric: 'acc' as const,
    chance: 0.5,
    items: items.length,
    file: `${name}.json`,
    sha256: '0'.repeat(64),
  };
  const form = items[0]!.word === undefined ? 'choice' : 'last_word';
  return parseTask({ ...common, form }, { name, items: items.map((item, i) => ({ id: `${i}`, ...item })) });
}

describe('lm-evaluation-harness', () => {
  const results: TaskResult[] = [];
  const progress: ScoringProgress[] = [];

  beforeAll(async () => {
    const config = parseLlamaConfig({ model_type: 'llama', ...harness.config });
    const tensors = valuesOf(smallTensors(config));
    for (const values of tensors.values()) for (let i = 0; i < values.length; i++) values[i]! *= 0.3;
    const model = { config, parameters: packParameters(parameterLayout(config), tensors) };
    const tokenizer = loadTokenizer(harness.tokenizer);
    await scoreTasks(await testGpu(), model, tokenizer, harness.tasks.map(taskOf), {
      onResult: (result) => results.push(result),
      between: (now) => void progress.push({ ...now }),
    });
  });

  it('has items of every kind', () => {
    const contexts = harness.tasks.flatMap(({ items }) => items.map(({ context }) => context));
    expect(contexts).toContain('');
    expect(contexts.some((context) => context.endsWith(' '))).toBe(true);
    expect(results.map(({ truncated }) => truncated)).toEqual([3, 0, 1]);
  });

  it.each(harness.tasks.map((task, t) => [task.name, task, t] as const))('%s agree', (_, task, t) => {
    const result = results[t]!;
    task.items.forEach(({ log_likelihoods }, i) =>
      result.outcomes[i]!.logLikelihoods.forEach((sum, choice) => {
        // Logits up to 5 in float32 against float64: measured 1e-5 over sums of up to 30 tokens.
        expect(Math.abs(sum - log_likelihoods[choice]!)).toBeLessThan(1e-4);
      }),
    );
    const json = resultJson(result) as Record<string, unknown>;
    expect(json['acc']).toBeCloseTo(task.acc, 10);
    expect(json['acc_stderr']).toBeCloseTo(task.acc_stderr, 10);
    if (task.acc_norm !== undefined) {
      expect(json['acc_norm']).toBeCloseTo(task.acc_norm, 10);
      expect(json['acc_norm_stderr']).toBeCloseTo(task.acc_norm_stderr!, 10);
    }
    if (task.perplexity !== undefined) {
      expect(Math.abs(Math.log(json['word_perplexity'] as number) - Math.log(task.perplexity))).toBeLessThan(
        1e-4,
      );
    }
  });

  it('is told how far the work is', () => {
    expect(progress.at(-1)).toMatchObject({ task: 'words', items: 12, totalItems: 12, share: 1 });
    expect(progress.map(({ share }) => share)).toEqual(
      progress.map(({ share }) => share).sort((a, b) => a - b),
    );
  });
});
