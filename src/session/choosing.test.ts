import { describe, expect, it } from 'vitest';
import { openGpu } from '../gpu/device';
import { nodeGpu } from '../gpu/node';
import { millisecondsPerStep } from '../run/step-speed';
import { trainingFlopsPerToken } from '../pruning/cost';
import { largestInTime, type Candidate } from './choosing';
import { CONFIG, openLab, siteFiles } from './testing';

const gpu = await nodeGpu();
const candidates: Candidate[] = [1, 4, 16].map((layers) => ({
  name: `${layers} layers`,
  config: { ...CONFIG, numHiddenLayers: layers },
}));
const flops = ({ config }: Candidate) => trainingFlopsPerToken(config, 128);

describe('largestInTime', () => {
  /** Times by a GPU that needs `overhead` for any step, and the rest for what there is to compute. */
  const choose = async (overhead: number, each: number, limit = 200) => {
    const timed: string[] = [];
    const name = await largestInTime(candidates, limit, (candidate) => {
      timed.push(candidate.name);
      return Promise.resolve(overhead + (each * flops(candidate)) / flops(candidates[0]!));
    });
    return { name, timed };
  };
  const most = flops(candidates[2]!) / flops(candidates[0]!);

  it('times the smallest alone where the largest cannot take too long', async () => {
    expect(await choose(5, 5)).toEqual({ name: '16 layers', timed: ['1 layers'] });
    expect(most * 10).toBeLessThan(200);
  });

  it('times a larger one where it might', async () => {
    expect(await choose(150, 1)).toEqual({ name: '16 layers', timed: ['1 layers', '4 layers', '16 layers'] });
    expect(await choose(190, 10)).toEqual({ name: '1 layers', timed: ['1 layers', '4 layers'] });
  });

  it('takes the smallest where even that is slow', async () => {
    expect(await choose(0, 900)).toEqual({ name: '1 layers', timed: ['1 layers'] });
  });
});

it('a step is timed without weights, and leaves nothing behind', async () => {
  const opened = await openGpu(gpu);
  const [small] = candidates;
  expect(await millisecondsPerStep(opened, small!.config)).toBeGreaterThan(0);
  expect(opened.heldBytes()).toBe(0);
  opened.throwOnError();
});

describe('a visitor who names no model', () => {
  const list = (names: string[]) =>
    new TextEncoder().encode(
      JSON.stringify(
        names.map((name, i) => ({
          name,
          title: name,
          description: '',
          parameters: i + 1,
          bytes: 1,
        })),
      ),
    ).buffer;
  /** A GPU that does not say that it is software. */
  const fast = {
    async requestAdapter(options?: GPURequestAdapterOptions) {
      const adapter = (await gpu.requestAdapter(options))!;
      return {
        limits: adapter.limits,
        info: { vendor: 'test', architecture: '', description: '' },
        requestDevice: adapter.requestDevice.bind(adapter),
      };
    },
  } as unknown as GPU;
  const site = () => {
    const files = siteFiles();
    for (const [path, bytes] of [...files]) {
      if (!path.startsWith('models/tiny/')) continue;
      for (const name of ['nano', 'second']) files.set(path.replace('tiny', name), bytes);
    }
    files.set('models/index.json', list(['nano', 'tiny', 'second']));
    return files;
  };

  it('gets the default on a software adapter, and nothing else is read', async () => {
    const lab = openLab(gpu, site());
    await lab.send({ type: 'open', source: null, baseUrl: '/' });
    expect(lab.of('source').map(({ name }) => name)).toEqual(['nano']);
    expect(lab.asked.every((path) => path.startsWith('models/nano/'))).toBe(true);
  });

  it('has models tried in turn elsewhere, and only the weights of the one that is taken are read', async () => {
    const lab = openLab(fast, site());
    await lab.send({ type: 'open', source: null, baseUrl: '/' });
    expect(lab.of('failed')).toEqual([]);
    expect(lab.of('loading')[0]).toMatchObject({ what: 'nano on trial' });
    // Which one it is depends on this machine.
    const { name } = lab.of('source')[0]!;
    expect(lab.asked.filter((path) => path.endsWith('.safetensors'))).toEqual([
      `models/${name}/model.safetensors`,
    ]);
  });

  it('gets the default where the list of models is broken', async () => {
    const files = site();
    files.set('models/index.json', new ArrayBuffer(2));
    const lab = openLab(fast, files);
    await lab.send({ type: 'open', source: null, baseUrl: '/' });
    expect(lab.of('source').map(({ name }) => name)).toEqual(['nano']);
  });
});
