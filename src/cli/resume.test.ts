import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { importRun } from '../storage/archive';
import { openMemoryStore } from '../storage/memory-store';
import { main } from './main';

const folder = mkdtempSync(join(tmpdir(), 'shear-lab-resume-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const experiment = join(folder, 'experiment.json');
writeFileSync(
  experiment,
  JSON.stringify({
    prune: { steps: 14, batchSize: 1 },
    retrain: { steps: 10, batchSize: 1 },
    contextLength: 16,
    evaluation: { interval: 5, windows: 1 },
    interventions: [{ at: 6, changes: { 'target.hiddenSize': 40 } }],
  }),
);

/** A command in this process; nothing of what it says is shown. */
async function command(...argv: string[]) {
  const err: string[] = [];
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const errors = vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  try {
    return { code: await main(argv), err: err.join('') };
  } finally {
    out.mockRestore();
    errors.mockRestore();
  }
}

/** Starts `prune` as a process of its own and ends it with a signal once its log has so many steps. */
function pruneUntil(argv: string[], out: string, steps: number, signal: NodeJS.Signals) {
  return new Promise<{ code: number | null; err: string }>((resolve) => {
    const child = spawn(process.execPath, ['scripts/cli.mjs', 'prune', ...argv], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (text) => (err += String(text)));
    const log = join(out, 'run', 'metrics.jsonl');
    const watch = setInterval(() => {
      const told = existsSync(log) ? readFileSync(log, 'utf8').split('"type":"step"').length - 1 : 0;
      if (told < steps) return;
      clearInterval(watch);
      child.kill(signal);
    }, 5);
    child.on('close', (code) => {
      clearInterval(watch);
      resolve({ code, err });
    });
  });
}

const withoutTimes = (out: string) =>
  readFileSync(join(out, 'metrics.jsonl'), 'utf8').replace(/"elapsedMs":\d+/g, '"elapsedMs":0');
const weights = (out: string) => readFileSync(join(out, 'model.safetensors'));

describe('prune --resume', () => {
  const straight = join(folder, 'straight');
  beforeAll(async () => {
    expect(await command('prune', experiment, '--out', straight)).toMatchObject({ code: 0 });
  });

  it('after kill -9 gives the lines and the weights of a run that never stopped', async () => {
    const out = join(folder, 'killed');
    const every = ['--checkpoint-every', '3'];
    await pruneUntil([experiment, '--out', out, ...every], out, 4, 'SIGKILL');
    expect(existsSync(join(out, 'summary.json'))).toBe(false);
    await pruneUntil(['--resume', out, ...every], out, 16, 'SIGKILL');
    expect(await command('prune', '--resume', out)).toMatchObject({ code: 0 });
    expect(withoutTimes(out)).toBe(withoutTimes(straight));
    expect(weights(out).equals(weights(straight))).toBe(true);
    expect(readdirSync(out).sort()).toEqual(readdirSync(straight).sort());
  });

  it('after Ctrl-C, which writes a checkpoint, says how to go on and ends with 130', async () => {
    const out = join(folder, 'interrupted');
    // A line is written at every checkpoint.
    const { code, err } = await pruneUntil(
      [experiment, '--out', out, '--checkpoint-every', '2'],
      out,
      2,
      'SIGINT',
    );
    expect(code).toBe(130);
    expect(err).toMatch(/Stopped after step \d+\. To go on: npm run -s cli -- prune --resume .*interrupted/);
    expect(await command('prune', '--resume', out)).toMatchObject({ code: 0 });
    expect(withoutTimes(out)).toBe(withoutTimes(straight));
  });

  it('goes on with a run that was packed into one file, as the page exports it', async () => {
    const out = join(folder, 'begun');
    await pruneUntil([experiment, '--out', out, '--checkpoint-every', '3'], out, 4, 'SIGKILL');
    const file = join(folder, 'begun.shear-run.zip');
    expect(await command('pack', out, '--out', file)).toMatchObject({ code: 0 });
    const elsewhere = join(folder, 'elsewhere');
    expect(await command('prune', '--resume', file, '--out', elsewhere)).toMatchObject({ code: 0 });
    expect(withoutTimes(elsewhere)).toBe(withoutTimes(straight));
    const store = openMemoryStore('a page');
    const id = await importRun(store, readFileSync(file));
    expect((await store.list()).runs).toMatchObject([{ id, status: 'stopped', totalSteps: 24 }]);
  });

  it('refuses in one sentence what it cannot go on with', async () => {
    expect(await command('prune', '--resume', folder)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^--resume .* is no folder that prune wrote: it has no folder run\.\n$/,
      ) as string,
    });
    expect(await command('prune', '--resume', straight, '--model', 'small')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/the run prunes nano, and small has other weights/) as string,
    });
    expect(await command('prune', experiment, '--resume', straight)).toMatchObject({ code: 2 });
  });
});
