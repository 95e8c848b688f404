import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../run/events';
import { nodeGpu } from '../gpu/node';
import type { Report } from './protocol';
import { CONFIG, modelFiles, openLab, otherTokenizer, siteFiles, smallExperiment } from './testing';

const gpu = await nodeGpu();
const withoutTimes = (events: RunEvent[]) => events.map((event) => ({ ...event, elapsedMs: null }));
const isStatus = (status: string) => (r: Report) => r.type === 'status' && r.status === status;

/**
 * A GPU whose device a test can reach, and whose loss it can bring about: as in a browser, reads that wait are
 * rejected, and a moment later the device says that it is lost.
 */
function watchedGpu() {
  let device: GPUDevice | null = null;
  let lose: (info: GPUDeviceLostInfo) => void = () => undefined;
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = (await gpu.requestAdapter(options))!;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor) => {
      device = await adapter.requestDevice(descriptor);
      const lost = new Promise<GPUDeviceLostInfo>((resolve) => (lose = resolve));
      Object.defineProperty(device, 'lost', { value: lost });
      const createBuffer = device.createBuffer.bind(device);
      device.createBuffer = (description) => {
        const buffer = createBuffer(description);
        const mapAsync = buffer.mapAsync.bind(buffer);
        buffer.mapAsync = (...range) => {
          const mapped = mapAsync(...range);
          mapped.catch(async () => {
            for (let moment = 0; moment < 100; moment++) await Promise.resolve();
            lose({ reason: 'unknown', message: 'pulled out\nby hand' } as GPUDeviceLostInfo);
          });
          return mapped;
        };
        return buffer;
      };
      return device;
    };
    return { limits: adapter.limits, info: adapter.info, requestDevice } as unknown as GPUAdapter;
  };
  return {
    api: { requestAdapter } as unknown as GPU,
    device: () => device!,
  };
}

describe('a run', () => {
  it('reaches its shape, writes, is measured, is exported', async () => {
    const lab = openLab(gpu);
    await lab.open();
    await lab.send({ type: 'exportModel', id: 0, run: 'none' });
    expect(lab.of('failed').at(-1)?.message).toBe('No run with the identifier "none" is kept here.');
    const events = await lab.run(smallExperiment(4));
    const finished = events.at(-1);
    expect(finished).toMatchObject({ type: 'finished', summary: { achieved: smallExperiment(4).target } });
    const shares = lab
      .of('activity')
      .filter((a) => a.what === 'Loading the corpus')
      .map((a) => a.done);
    expect(shares[0]).toBeLessThan(0.9);
    expect(shares.at(-1)).toBe(1);

    const afterwards = lab.reports.length;
    await lab.send({ type: 'pause' });
    await lab.send({ type: 'step' });
    await lab.send({ type: 'resume' });
    expect(lab.reports.length).toBe(afterwards);

    const run = lab.lastRun();
    await lab.send({ type: 'evaluate', id: 1, run, windows: 4, contextLength: 8 });
    expect(lab.of('evaluated').map((e) => e.which)).toEqual(['source', 'pruned']);
    for (const { loss } of lab.of('evaluated')) for (const value of loss) expect(value).toBeGreaterThan(0);

    const prompt = { prompt: 'green bottles', temperature: 1, seed: 3 };
    await lab.send({ type: 'generate', id: 2, run, maxTokens: 6, ...prompt });
    const written = lab.of('generated');
    for (const which of ['source', 'pruned'] as const) {
      const own = written.filter((g) => g.which === which);
      expect(own.at(-1)).toMatchObject({ done: true });
      expect(own.at(-1)!.tokensPerSecond).toBeGreaterThan(0);
      expect(own.length).toBe(7);
    }
    // Token by token, in turns.
    expect(written.slice(0, 4).map((g) => g.which)).toEqual(['source', 'pruned', 'source', 'pruned']);

    await lab.send({ type: 'exportModel', id: 3, run });
    const [zip] = lab.of('exported');
    expect(zip!.fileName).toBe('tiny-L1-d10-H2-I13.zip');
    const config = JSON.parse(strFromU8(unzipSync(new Uint8Array(zip!.bytes))['config.json']!)) as object;
    expect(config).toMatchObject({ hidden_size: 10, num_hidden_layers: 1 });
    expect(lab.of('failed')).toHaveLength(1);
  });

  it('gives the same events whatever ran before it', async () => {
    const lab = openLab(gpu);
    await lab.open();
    const first = withoutTimes(await lab.run(smallExperiment(4)));
    await lab.run(smallExperiment(30, 10));
    expect(withoutTimes(await lab.run(smallExperiment(4)))).toEqual(first);
    expect(new Set(lab.asked).size).toBe(lab.asked.length);
  });

  it('that is started twice runs once, and a Step behind it is one step', async () => {
    const lab = openLab(gpu);
    await lab.open();
    void lab.send({ type: 'start', plan: { experiment: smallExperiment(40), interventions: [] } });
    await lab.until((r) => r.type === 'events');
    void lab.send({ type: 'start', plan: { experiment: smallExperiment(50), interventions: [] } });
    void lab.send({ type: 'start', plan: { experiment: smallExperiment(4), interventions: [] } });
    await lab.send({ type: 'step' });
    const events = () => lab.of('events').flatMap((r) => r.events);
    const stepsOfLast = () => {
      const all = events();
      const started = all.findLastIndex((e) => e.type === 'started');
      return all.slice(started).filter((e) => e.type === 'step').length;
    };
    await lab.until(() => {
      const started = events().findLast((e) => e.type === 'started');
      return started?.type === 'started' && started.experiment.prune.steps === 4 && stepsOfLast() === 1;
    });
    expect(lab.of('status').at(-1)?.status).toBe('paused');
    await lab.send({ type: 'resume' });
    await lab.until(isStatus('finished'));
    expect(events().filter((e) => e.type === 'finished')).toHaveLength(1);
    expect(lab.of('failed')).toEqual([]);
  });

  it('goes on when a broken experiment is asked for', async () => {
    const lab = openLab(gpu);
    await lab.open();
    await lab.send({ type: 'start', plan: { experiment: smallExperiment(6), interventions: [] } });
    const broken = { ...smallExperiment(6), seed: -1 };
    await lab.send({ type: 'start', plan: { experiment: broken, interventions: [] } });
    expect(lab.of('failed').map((f) => f.message)).toEqual([expect.stringMatching(/seed/i)]);
    expect(lab.of('status').at(-1)?.status).toBe('running');
    await lab.until(isStatus('finished'));
  });

  it('that is reset is dropped without a word', async () => {
    const lab = openLab(gpu);
    await lab.open();
    await lab.send({ type: 'start', plan: { experiment: smallExperiment(200), interventions: [] } });
    await lab.until((r) => r.type === 'events');
    const from = lab.reports.length;
    await lab.send({ type: 'reset' });
    expect(lab.reports.slice(from).flatMap((r) => (r.type === 'status' ? [r.status] : []))).toEqual([
      'ready',
    ]);
  });
});

describe('opening', () => {
  it('a newer model takes the place of one that still loads', async () => {
    const lab = openLab(gpu);
    let release: () => void = () => undefined;
    const read = lab.environment.read;
    lab.environment.read = async (path, options) => {
      if (path.endsWith('model.safetensors')) await new Promise<void>((resolve) => (release = resolve));
      return read(path, options);
    };
    const older = lab.open();
    await lab.until((r) => r.type === 'loading');
    await lab.send({ type: 'openFiles', files: modelFiles(), baseUrl: '/' });
    release();
    await older;
    expect(lab.of('source').map((s) => s.name)).toEqual(['local']);
    expect(lab.of('status').at(-1)?.status).toBe('ready');
    expect(lab.of('failed')).toEqual([]);
  });

  it('that fails leaves what was open', async () => {
    const lab = openLab(gpu);
    await lab.send({ type: 'open', source: 'nothing', baseUrl: '/' });
    expect(lab.of('status').at(-1)?.status).toBe('failed');
    await lab.open();
    await lab.send({ type: 'open', source: 'nothing', baseUrl: '/' });
    expect(lab.of('status').at(-1)?.status).toBe('ready');
    await lab.send({
      type: 'generate',
      id: 1,
      run: null,
      prompt: 'a',
      maxTokens: 1,
      temperature: 0,
      seed: 1,
    });
    expect(lab.of('generated').at(-1)).toMatchObject({ which: 'source', done: true });
  });

  it('takes no harm from a broken card', async () => {
    const site = siteFiles();
    site.set('models/tiny/card.json', new TextEncoder().encode('{"name":').buffer);
    const lab = openLab(gpu, site);
    await lab.open();
    expect(lab.of('source')).toMatchObject([{ name: 'tiny', card: null }]);
  });

  it('refuses a tokenizer with more tokens than the model has embeddings', async () => {
    const lab = openLab(gpu);
    await lab.send({ type: 'openFiles', files: modelFiles({ ...CONFIG, vocabSize: 2000 }), baseUrl: '/' });
    expect(lab.of('failed').map((f) => f.message)).toEqual([
      expect.stringMatching(/token ids up to 2047, but vocab_size in config\.json is 2000/),
    ]);
    expect(lab.of('source')).toEqual([]);
  });

  it('a model with other tokens is neither measured nor pruned on the corpus, but writes', async () => {
    const lab = openLab(gpu);
    await lab.send({ type: 'openFiles', files: modelFiles(CONFIG, otherTokenizer()), baseUrl: '/' });
    await lab.send({ type: 'evaluate', id: 1, run: null, windows: 1, contextLength: 8 });
    await lab.run(smallExperiment(2));
    expect(lab.of('failed').map((f) => f.message)).toEqual([
      expect.stringMatching(/another vocabulary than the bundled corpus \("a" is/),
      expect.stringMatching(/another vocabulary than the bundled corpus \("a" is/),
    ]);
    expect(lab.of('evaluated')).toEqual([]);
    await lab.send({
      type: 'generate',
      id: 2,
      run: null,
      prompt: 'a',
      maxTokens: 1,
      temperature: 0,
      seed: 1,
    });
    expect(lab.of('failed')).toHaveLength(2);
  });
});

describe('the device', () => {
  it('that is lost in a run ends the lab with one sentence', async () => {
    const watched = watchedGpu();
    const lab = openLab(watched.api);
    await lab.open();
    await lab.send({ type: 'start', plan: { experiment: smallExperiment(400), interventions: [] } });
    await lab.until((r) => r.type === 'events');
    watched.device().destroy();
    await lab.until((r) => r.type === 'failed');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(lab.of('failed')).toEqual([
      {
        type: 'failed',
        fatal: true,
        message: expect.stringMatching(/^The graphics device was lost \(pulled out\)/) as string,
      },
    ]);
    expect(lab.reports.at(-1)?.type).toBe('failed');
  });

  it('that is lost while a model writes is not reported as what happened to the writing', async () => {
    const watched = watchedGpu();
    const lab = openLab(watched.api);
    await lab.open();
    const writing = lab.send({
      type: 'generate',
      id: 1,
      run: null,
      prompt: 'a',
      maxTokens: 50,
      temperature: 1,
      seed: 1,
    });
    await lab.until((r) => r.type === 'generated');
    watched.device().destroy();
    await writing;
    expect(lab.of('failed')).toMatchObject([{ fatal: true }]);
  });

  it('that reports an error ends the lab: what it computes is not to be trusted', async () => {
    const watched = watchedGpu();
    const lab = openLab(watched.api);
    await lab.open();
    watched.device().createBuffer({ size: 16, usage: 0 });
    await lab.send({ type: 'evaluate', id: 1, run: null, windows: 1, contextLength: 8 });
    expect(lab.of('failed')).toMatchObject([{ fatal: true }]);
    expect(lab.of('evaluated')).toEqual([]);
  });
});

it('a cancelled generation ends where it is', async () => {
  const lab = openLab(gpu);
  await lab.open();
  const writing = lab.send({
    type: 'generate',
    id: 7,
    run: null,
    prompt: 'a',
    maxTokens: 50,
    temperature: 1,
    seed: 1,
  });
  await lab.until((r) => r.type === 'generated');
  await lab.send({ type: 'cancel', id: 7 });
  await writing;
  expect(lab.of('generated').at(-1)).toMatchObject({ id: 7, done: true });
  expect(lab.of('generated').length).toBeLessThan(10);
});

it('a cancelled evaluation measures no further and says nothing', async () => {
  const lab = openLab(gpu);
  await lab.open();
  const measuring = lab.send({ type: 'evaluate', id: 8, run: null, windows: 1_000_000, contextLength: 8 });
  await lab.until((r) => r.type === 'progress' && r.what.startsWith('Evaluating'));
  await lab.send({ type: 'cancel', id: 8 });
  await measuring;
  expect(lab.of('evaluated')).toEqual([]);
  expect(lab.of('failed')).toEqual([]);
});
