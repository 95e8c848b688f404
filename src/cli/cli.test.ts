import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { parseLlamaConfig, writeModelFolder } from '../formats/hugging-face';
import { main } from './main';

const folder = mkdtempSync(join(tmpdir(), 'shear-lab-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command as a shell would: exit code, stdout, stderr. */
async function command(...argv: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  try {
    return { code: await main(argv), out: out.join(''), err: err.join('') };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

interface GoldenModel {
  config: object;
  weights: Record<string, { data: number[] }>;
  tokens: number[][];
  plain: { loss: number };
}
const golden = (
  JSON.parse(readFileSync('scripts/reference/golden.json', 'utf8')) as { models: Record<string, GoldenModel> }
).models;

function writeGolden(name: string, dtype: 'F32' | 'F16' | 'BF16'): string {
  const { config, weights } = golden[name]!;
  const tensors = new Map(Object.entries(weights).map(([n, { data }]) => [n, Float32Array.from(data)]));
  const path = mkdtempSync(join(folder, `${name}-`));
  for (const file of writeModelFolder(
    parseLlamaConfig({ model_type: 'llama', ...config }),
    tensors,
    [],
    dtype,
  )) {
    writeFileSync(join(path, file.name), file.bytes);
  }
  return path;
}

describe('command line', () => {
  // What rounding the weights to 11 or 8 significant bits does to a loss near 5, measured 1e-3 and 1e-2.
  for (const [dtype, tolerance] of [
    ['F32', 1e-5],
    ['F16', 5e-3],
    ['BF16', 5e-2],
  ] as const) {
    for (const name of Object.keys(golden)) {
      it(`eval --tokens gives the reference's loss, model ${name} in ${dtype}`, async () => {
        const tokens = join(folder, `${name}.json`);
        writeFileSync(tokens, JSON.stringify(golden[name]!.tokens));
        const { code, out } = await command('eval', writeGolden(name, dtype), '--tokens', tokens, '--json');
        expect(code).toBe(0);
        const answer = JSON.parse(out) as { loss: number; tokens: number };
        expect(answer.tokens).toBe(32);
        expect(Math.abs(answer.loss - golden[name]!.plain.loss)).toBeLessThan(tolerance);
      });
    }
  }

  it('sequences of different lengths do not disturb each other', async () => {
    const [first, second] = golden['a']!.tokens as [number[], number[]];
    const model = writeGolden('a', 'F32');
    const lossOf = async (sequences: number[][]) => {
      const tokens = join(folder, 'tokens.json');
      writeFileSync(tokens, JSON.stringify(sequences));
      return (
        JSON.parse((await command('eval', model, '--tokens', tokens, '--json')).out) as { loss: number }
      ).loss;
    };
    const short = second.slice(0, 5);
    const together = await lossOf([first, short]);
    const apart = (16 * (await lossOf([first])) + 4 * (await lossOf([short]))) / 20;
    expect(Math.abs(together - apart)).toBeLessThan(1e-5);
  });

  it('prune writes a folder of exactly the target shape that eval and generate read', async () => {
    const experiment = join(folder, 'experiment.json');
    const out = join(folder, 'pruned');
    const target = { numHiddenLayers: 3, hiddenSize: 40, numAttentionHeads: 2, intermediateSize: 100 };
    writeFileSync(
      experiment,
      JSON.stringify({
        target,
        prune: { steps: 4, batchSize: 1 },
        retrain: { steps: 2, batchSize: 1 },
        contextLength: 16,
        evaluation: { interval: 2, windows: 1 },
      }),
    );
    const pruned = await command('prune', experiment, '--out', out, '--json');
    expect(pruned.err).toMatch(/s left/);
    expect(pruned.code).toBe(0);
    const summary = JSON.parse(pruned.out) as {
      achieved: object;
      maskedVersusPruned: number;
      loss: { retrained: Record<string, number> };
      seed: number;
    };
    expect(summary).toEqual(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')));
    expect(summary.achieved).toEqual(target);
    expect(summary.loss.retrained['code']).toBeGreaterThan(0);
    expect(summary.seed).toBe(17);
    expect(summary.maskedVersusPruned).toBeLessThan(1e-4);
    const steps = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
    expect(steps.map((line) => (JSON.parse(line) as { type: string }).type)).toContain('surgery');

    const info = JSON.parse((await command('info', out, '--json')).out) as { config: Record<string, number> };
    expect(info.config).toMatchObject({ num_hidden_layers: 3, hidden_size: 40, intermediate_size: 100 });
    const written = await command('generate', out, '--prompt', 'The', '--max-tokens', '4', '--json');
    expect((JSON.parse(written.out) as { tokens: number[] }).tokens.length).toBeGreaterThan(0);
  });

  it('evaluate scores the bundled tasks and says what was scored', async () => {
    const names = 'minimal-pairs,last-word';
    const { code, out, err } = await command('evaluate', 'nano', '--tasks', names, '--limit', '3', '--json');
    expect(code).toBe(0);
    expect(err).toMatch(/of 6 items, .* s left/);
    const answer = JSON.parse(out) as { model: object; tasks: Record<string, unknown>[] };
    expect(answer.model).toMatchObject({
      name: 'nano',
      weights_sha256: expect.stringMatching(/^\w{64}$/) as string,
    });
    expect(answer.tasks.map((task) => [task['name'], task['n']])).toEqual([
      ['last-word', 3],
      ['minimal-pairs', 3],
    ]);
    expect(answer.tasks[0]!['word_perplexity']).toBeGreaterThan(1);
    expect(answer.tasks[1]!['acc_norm_interval']).toHaveLength(2);
  });

  it('says in one sentence what is wrong', async () => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '{"target":{"hiddenSize":1000}}');
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, '{"prune":');
    const small = join(folder, 'small.json');
    writeFileSync(small, '{}');
    for (const [argv, expected] of [
      [['info', join(folder, 'nothing')], /nothing/],
      [['prune', bad, '--out', join(folder, 'x')], /idden/],
      [['prune', broken, '--out', join(folder, 'x')], /not valid JSON/],
      [['prune', bad], /--out/],
      [['prune', small, '--out', join(broken, 'x')], /--out .* is no folder that can be written to/],
      [['eval', 'nano', '--tokens', broken, '--windows', '3'], /leave out --windows, --context and --split/],
      [['eval', 'nano', '--tokens', broken, '--context', '16'], /leave out --windows, --context/],
      [['eval', 'nano', '--split', 'train'], /--split must be validation or test/],
      [['eval', writeGolden('a', 'F32')], /another vocabulary than the bundled corpus/],
      [
        ['prune', small, '--model', writeGolden('a', 'F32'), '--out', join(folder, 'x')],
        /another vocabulary than the bundled corpus/,
      ],
      [['eval', 'nano', '--windows', 'many'], /--windows/],
      [['evaluate', writeGolden('a', 'F32')], /tokenizer.json is missing/],
      [['evaluate', 'nano', '--tasks', 'last-word,nonsense'], /There is no task nonsense: choose among/],
      [['evaluate', 'nano', '--limit', '0'], /--limit/],
      [['generate', 'nano'], /--prompt/],
      [['frobnicate'], /no command frobnicate/],
      [['info', 'nano', '--nonsense'], /nonsense/],
    ] as const) {
      const { code, err } = await command(...argv);
      expect(code).not.toBe(0);
      expect(err).toMatch(expected);
      expect(err).not.toMatch(/ at .*\.ts:\d+/);
      // Said before any work is done.
      expect(err).not.toMatch(/Adapter/);
    }
  });
});
