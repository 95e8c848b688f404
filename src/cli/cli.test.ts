import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { parseLlamaConfig, readModelFolder, writeModelFolder } from '../formats/hugging-face';
import { parseRunLog } from '../run/run-log';
import { overflowingParameters } from '../llama/testing';
import type { LlamaConfig } from '../llama/config';
import { packParameters, parameterLayout, unpackParameters } from '../llama/parameters';
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

/** Nano with its weights changed: all finite, but what is computed from them is not. */
function writeBroken(breakWeights: (config: LlamaConfig, weights: Float32Array) => Float32Array): string {
  const files = ['tokenizer.json', 'tokenizer_config.json', 'config.json'].map((name) => ({
    name,
    bytes: new Uint8Array(readFileSync(join('public/models/nano', name))),
  }));
  const config = parseLlamaConfig(JSON.parse(new TextDecoder().decode(files[2]!.bytes)));
  const layout = parameterLayout(config);
  const weights = readModelFolder([
    files[2]!,
    { name: 'model.safetensors', bytes: readFileSync('public/models/nano/model.safetensors') },
  ]);
  const broken = breakWeights(config, packParameters(layout, weights.tensors));
  const tensors = unpackParameters(layout, broken);
  const path = mkdtempSync(join(folder, 'broken-'));
  for (const { name, bytes } of [...writeModelFolder(config, tensors), ...files.slice(0, 2)]) {
    writeFileSync(join(path, name), bytes);
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
        const { code, out } = await command(
          'perplexity',
          writeGolden(name, dtype),
          '--tokens',
          tokens,
          '--json',
        );
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
        JSON.parse((await command('perplexity', model, '--tokens', tokens, '--json')).out) as { loss: number }
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
    // Model, log and summary are tied together by hashes, and no temporary file is left.
    const log = parseRunLog(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')));
    const [started, finished] = [log.events[0]!, log.events.at(-1)!];
    if (started.type !== 'started' || finished.type !== 'finished') throw new Error('unreachable');
    expect(log.header.modelSha256).toBe(started.source.weightsSha256);
    expect(summary).toMatchObject({
      modelSha256: started.source.weightsSha256,
      weightsSha256: finished.summary.weightsSha256,
    });
    expect(readdirSync(out).sort()).toEqual([
      'before-retraining',
      'config.json',
      'metrics.jsonl',
      'model.safetensors',
      'run',
      'run.json',
      'summary.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const again = await command('prune', experiment, '--out', out);
    expect(again).toMatchObject({ code: 1, out: '' });
    expect(again.err).toMatch(/is not empty: .* --force/);
    const source = await command('prune', experiment, '--model', out, '--out', out, '--force');
    expect(source).toMatchObject({ code: 1, out: '' });
    expect(source.err).toMatch(/overlaps the source model’s folder/);
    // A report is of the source that was pruned, and of the model that the run wrote.
    const other = await command('report', out, '--model', 'small');
    expect(other.err).toMatch(/^run log: the run pruned nano \(weights 27c27d734018\), but small/);
    copyFileSync(join(out, 'before-retraining/model.safetensors'), join(out, 'model.safetensors'));
    const mixed = await command('report', out);
    expect(mixed.err).toMatch(/^run log: the final model beside it is another than the run wrote/);
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
    const { code, out, err } = await command('tasks', 'nano', '--tasks', names, '--limit', '3', '--json');
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

  it('gives no number for a model whose logits are NaN, and writes no model', async () => {
    const broken = writeBroken(overflowingParameters);
    const tokens = join(folder, 'two.json');
    writeFileSync(tokens, '[[5, 6, 7]]');
    const experiment = join(folder, 'constant.json');
    const small = { steps: 1, batchSize: 1 };
    writeFileSync(
      experiment,
      JSON.stringify({
        prune: small,
        retraining: 'none',
        contextLength: 8,
        mixture: { mode: 'constant' },
        evaluation: { windows: 1 },
      }),
    );
    const out = join(folder, 'of-broken');
    for (const [argv, sentence] of [
      [
        ['perplexity', broken, '--tokens', tokens],
        /The loss of broken-\S* on sequence 1 is NaN, not a finite/,
      ],
      [
        ['perplexity', broken, '--windows', '1', '--context', '8'],
        /The loss on manuals \(broken-\S*\) is NaN/,
      ],
      [
        ['tasks', broken, '--tasks', 'minimal-pairs,last-word', '--limit', '2'],
        /Task \S+: the score of a token .* is NaN/,
      ],
      [
        ['prune', experiment, '--model', broken, '--out', out],
        /Before the first step: the loss on manuals \(source model\) is NaN/,
      ],
      [['generate', broken, '--prompt', 'The', '--max-tokens', '2'], /The logits behind token .* is NaN/],
    ] as const) {
      const answer = await command(...argv);
      expect(answer).toMatchObject({ code: 1, out: '' });
      expect(answer.err).toMatch(sentence);
    }
    expect(readdirSync(folder)).not.toContain('of-broken');
  });

  it('keeps the log of a run that breaks down, and no model', async () => {
    const experiment = join(folder, 'breaking.json');
    writeFileSync(
      experiment,
      JSON.stringify({
        // Calibration would meet the gradients before the first step does.
        basis: 'own',
        prune: { steps: 9, batchSize: 1, warmStart: false },
        distillation: { weight: 0 },
        retraining: 'none',
        contextLength: 8,
        evaluation: { windows: 1 },
      }),
    );
    // Logits of 1e29 have a finite loss, and gradients whose squares overflow.
    const model = writeBroken((config, weights) => {
      const { norms } = parameterLayout(config);
      return weights.fill(
        1e30,
        norms.offset + 2 * config.numHiddenLayers * config.hiddenSize,
        norms.offset + norms.elements,
      );
    });
    const out = join(folder, 'broken-down');
    const { code, err } = await command('prune', experiment, '--model', model, '--out', out);
    expect(err).toMatch(
      /Training broke down at step 5 of stage prune: its gradients are not finite since step 1\. Lower/,
    );
    expect(code).toBe(1);
    expect(readdirSync(out).sort()).toEqual(['metrics.jsonl', 'run', 'run.json']);
    const { events } = parseRunLog(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')));
    const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []));
    expect(steps.map(({ step, gradientNorm }) => [step, gradientNorm])).toEqual(
      [1, 2, 3, 4].map((step) => [step, null]),
    );
    expect((await command('report', out)).err).toMatch(/the run has not finished/);
  });

  it('reads JSON with a byte order mark', async () => {
    const tokens = join(folder, 'mark.json');
    writeFileSync(tokens, `\uFEFF${JSON.stringify(golden['a']!.tokens)}`);
    const marked = await command('perplexity', writeGolden('a', 'F32'), '--tokens', tokens, '--json');
    expect((JSON.parse(marked.out) as { loss: number }).loss).toBeCloseTo(golden['a']!.plain.loss, 4);
    const experiment = join(folder, 'mark-experiment.json');
    writeFileSync(experiment, '\uFEFF{"contextLength":100000}');
    const { err } = await command('prune', experiment, '--out', join(folder, 'x'));
    expect(err).toMatch(/contextLength/);
  });

  it.each([
    [[], /npm run -s cli -- COMMAND/],
    [
      ['frobnicate'],
      /^There is no command frobnicate: choose among info, methods, scores, perplexity, tasks, prune/,
    ],
    [['info'], /^info needs MODEL: see info --help\.$/],
    [['info', 'nano', 'small'], /^info takes one MODEL, not also small/],
    [['info', 'nano', '--nonsense'], /^info has no option --nonsense: see info --help\.$/],
    [['info', 'nano', '-x'], /^info has no option -x/],
    [['info', 'nano', '--toString'], /^info has no option --toString/],
    [['info', 'nano', '--json=yes'], /^--json takes no value/],
    [['prune', 'x.json'], /^--out DIR is needed: see prune --help\.$/],
    [['prune', '--out', 'x'], /^prune needs EXPERIMENT\.json, or --resume DIR/],
    [['prune', 'x.json', '--out', '--force'], /^--out needs a value, DIR/],
    [['prune', 'x.json', '--out', 'a', '--out', 'b'], /^--out is given twice/],
    [['generate', 'nano', '--prompt', ''], /^--prompt TEXT is needed/],
    [['eval', 'nano', '--windows', 'many'], /^--windows must be a whole number/],
    [['evaluate', 'nano', '--limit', '0'], /^--limit must be a whole number/],
    [['report', 'default', '--arms', 'best'], /^--arms has no best/],
  ])('a command line that is not understood ends with 2: %j', async (argv, sentence) => {
    const { code, out, err } = await command(...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.trimEnd()).toMatch(sentence);
  });

  it('help and version answer on every command', async () => {
    const help = await command('--help');
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(await command('-h')).toEqual(help);
    expect(await command('help')).toEqual(help);
    const version = await command('--version');
    expect(version).toEqual({
      code: 0,
      out: expect.stringMatching(/^shear-lab \d+\.\d+\.\d+\n$/) as string,
      err: '',
    });
    for (const name of [
      'info',
      'perplexity',
      'tasks',
      'prune',
      'report',
      'generate',
      'bench',
      'eval',
      'evaluate',
    ]) {
      const own = await command(name, '--help');
      expect(own).toMatchObject({ code: 0, err: '' });
      expect(own.out).toMatch(/--json +answer in JSON/);
      expect(await command(name, 'MODEL', '-h', '--nonsense')).toEqual(own);
      expect(await command('help', name)).toEqual(own);
      expect(await command(name, '--version')).toEqual(version);
    }
    expect((await command('eval', '-h')).out).toMatch(/-- perplexity MODEL .*\n[\s\S]*Also called eval\./);
    expect((await command('prune', '-h')).out).toMatch(
      /prune \[EXPERIMENT\.json\] \[--out DIR\] \[--resume DIR\|FILE\] \[--checkpoint-every N\] \[--model MODEL\] \[--force\]/,
    );
  });

  it('standard output that cannot be written to is a failure', () => {
    const { status, stderr } = spawnSync('sh', ['-c', 'exec node scripts/cli.mjs --help > /dev/full'], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/^Standard output could not be written to: .*ENOSPC.*\.\n$/);
    expect(status).toBe(1);
  });

  it('says in one sentence what is wrong', async () => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, '{"target":{"hiddenSize":1000}}');
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, '{"prune":');
    const small = join(folder, 'small.json');
    writeFileSync(small, '{}');
    const torch = writeGolden('a', 'F32');
    renameSync(join(torch, 'model.safetensors'), join(torch, 'pytorch_model.bin'));
    const odd = writeGolden('a', 'F32');
    renameSync(join(odd, 'model.safetensors'), join(odd, 'weights.safetensors'));
    const large = writeGolden('a', 'F32');
    // Sparse: it takes no room.
    truncateSync(join(large, 'model.safetensors'), 2.5 * 2 ** 30);
    for (const [argv, expected] of [
      [['info', torch], /pytorch_model\.bin .*save the model as safetensors/],
      [['info', odd], /weights\.safetensors is not read .*rename a single file to model\.safetensors/],
      [['info', large], /^model\.safetensors has 2\.5 GiB, more than the 2 GiB .* in shards/],
      [['info', join(folder, 'nothing')], /nothing/],
      [['prune', bad, '--out', join(folder, 'x')], /idden/],
      [['prune', broken, '--out', join(folder, 'x')], /broken\.json: must be JSON/],
      [['prune', small, '--out', join(broken, 'x')], /--out .* is no folder that can be written to/],
      [
        ['perplexity', 'nano', '--tokens', broken, '--windows', '3'],
        /leave out --windows, --context and --split/,
      ],
      [['perplexity', 'nano', '--tokens', broken, '--context', '16'], /leave out --windows, --context/],
      [['perplexity', 'nano', '--split', 'train'], /--split must be validation or test/],
      [['perplexity', writeGolden('a', 'F32')], /another vocabulary than the bundled corpus/],
      [
        ['prune', small, '--model', writeGolden('a', 'F32'), '--out', join(folder, 'x')],
        /another vocabulary than the bundled corpus/,
      ],
      [['tasks', writeGolden('a', 'F32')], /tokenizer.json is missing/],
      [['tasks', 'nano', '--tasks', 'last-word,nonsense'], /There is no task nonsense: choose among/],
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
