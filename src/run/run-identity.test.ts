import { describe, expect, it } from 'vitest';
import { weightsHash } from '../formats/weights-hash';
import { parameterCount } from '../pruning/cost';
import { experimentSchema } from '../experiment/schema';
import type { RunEvent, StartedEvent } from './events';
import { checkRunModels, checkRunSource } from './run-identity';
import { toySource } from './testing';

const source = toySource();
const started = (weightsSha256: string | undefined): StartedEvent => ({
  type: 'started',
  experiment: experimentSchema.parse({}),
  source: {
    name: 'mine',
    config: { ...source.config },
    parameters: parameterCount(source.config),
    weightsSha256,
  },
  domains: ['a'],
  adapter: { vendor: '', architecture: '', description: '', software: true },
  version: '1',
  referenceLoss: [1],
  mixture: [1],
});

describe('the source of a run', () => {
  it('is known by its weights, not by its name', () => {
    const hash = 'a'.repeat(64);
    checkRunSource(started(hash), { ...source, name: 'elsewhere', weightsSha256: hash });
    expect(() =>
      checkRunSource(started(hash), { ...source, name: 'mine', weightsSha256: 'b'.repeat(64) }),
    ).toThrow(
      /^run log: the run pruned mine \(weights aaaaaaaaaaaa\), but mine \(weights bbbbbbbbbbbb\) was opened: give the model that was pruned \(--model\)$/,
    );
  });

  it('is known by its shape in a log without hashes', () => {
    const reversed = Object.fromEntries(Object.entries(source.config).reverse()) as typeof source.config;
    checkRunSource(started(undefined), { ...source, config: reversed });
    const other = { ...source.config, ropeTheta: 5e5 };
    expect(() => checkRunSource(started(undefined), { ...source, config: other })).toThrow(/weights unknown/);
  });
});

describe('the models of a run', () => {
  const other = { ...source, parameters: source.parameters.map((value) => value / 2) };
  const events = (pruned: string | null, final: string | null) =>
    [
      { type: 'surgery', weightsSha256: pruned ?? undefined },
      { type: 'finished', summary: { weightsSha256: final ?? undefined } },
    ] as unknown as RunEvent[];

  it('are those that the log names', async () => {
    const [a, b] = [await weightsHash(source), await weightsHash(other)];
    await checkRunModels(events(a, b), { pruned: source, retrained: other });
    await checkRunModels(events(a, a), { pruned: source, retrained: null });
    await checkRunModels(events(null, null), { pruned: source, retrained: other });
    await expect(checkRunModels(events(a, b), { pruned: source, retrained: source })).rejects.toThrow(
      /the final model beside it is another than the run wrote/,
    );
    await expect(checkRunModels(events(a, b), { pruned: other, retrained: other })).rejects.toThrow(
      /the pruned model beside it/,
    );
  });
});
