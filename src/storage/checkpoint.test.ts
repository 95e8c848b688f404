import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCheckpoint, resumeCheckpoint, writeCheckpoint } from './checkpoint';
import { StorageFullError } from './errors';
import { openMemoryStore } from './memory-store';
import { someRun } from './run-store.contract';
import type { RunFolder } from './run-store';
import { Died, dyingFolder, flipByte } from './testing';

/** A checkpoint of which every part differs from those of other steps. */
function at(step: number) {
  return {
    state: { stage: 'prune', step, sampler: { seed: 2 ** 53 - step, drawn: [step, -0] } },
    tensors: new Map([
      ['weights', Float32Array.from({ length: 50 }, (_, i) => Math.fround(Math.sin(step + i)))],
      ['logAlpha', Float32Array.of(-0, step, 1e-45)],
      ['none', new Float32Array()],
    ]),
  };
}

async function newFolder(quota?: number): Promise<RunFolder> {
  return openMemoryStore('For this test.', quota).create(someRun());
}

const stepOf = async (folder: RunFolder) => {
  const { checkpoint, problems } = await readCheckpoint(folder);
  const step = checkpoint ? (checkpoint.state as { step: number }).step : null;
  if (step !== null) expect(checkpoint).toStrictEqual(at(step));
  return { step, problems };
};
const generationsIn = async (folder: RunFolder) => [
  ...new Set((await folder.list()).map(({ name }) => name.slice(0, 17))),
];

test('is read back bit for bit; the one before stays, older ones go', async () => {
  const folder = await newFolder();
  expect(await stepOf(folder)).toEqual({ step: null, problems: [] });
  for (let step = 1; step <= 5; step++) {
    await writeCheckpoint(folder, at(step));
    expect(await stepOf(folder)).toEqual({ step, problems: [] });
  }
  expect(await generationsIn(folder)).toEqual(['checkpoint-000004', 'checkpoint-000005']);
});

test('what is not finite is refused, and the last checkpoint stays', async () => {
  const folder = await newFolder();
  await writeCheckpoint(folder, at(1));
  await expect(writeCheckpoint(folder, { state: { loss: NaN }, tensors: new Map() })).rejects.toThrow(
    'state.loss is NaN, which JSON cannot hold.',
  );
  const tensors = new Map([['moments', Float32Array.of(1, Infinity)]]);
  await expect(writeCheckpoint(folder, { state: {}, tensors })).rejects.toThrow('"moments"');
  expect(await stepOf(folder)).toEqual({ step: 1, problems: [] });
});

describe.for(['before', 'half', 'after'] as const)('killed %s a change', (when) => {
  test.for([0, 1, 2, 3])('after %i checkpoints, the last or the new one is there', async (earlier) => {
    for (let operation = 0; ; operation++) {
      const folder = await newFolder();
      for (let step = 1; step <= earlier; step++) await writeCheckpoint(folder, at(step));
      const died = await writeCheckpoint(dyingFolder(folder, operation, when), at(earlier + 1)).then(
        () => false,
        (error) => error instanceof Died,
      );
      const { step, problems } = await stepOf(folder);
      expect(problems).toEqual([]);
      expect([earlier || null, earlier + 1]).toContain(step);
      // And it goes on from there.
      await writeCheckpoint(folder, at(9));
      expect(await stepOf(folder)).toEqual({ step: 9, problems: [] });
      expect((await generationsIn(folder)).length).toBeLessThanOrEqual(2);
      if (!died) return expect(operation).toBeGreaterThanOrEqual(3);
    }
  });
});

test('killed again and again, nothing that was answered is lost', async () => {
  const death = fc.record({
    operation: fc.nat(12),
    when: fc.constantFrom('before', 'half', 'after'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(death, { maxLength: 8 }), async (deaths) => {
      const folder = await newFolder();
      let step = 0;
      for (const { operation, when } of deaths) {
        const dying = dyingFolder(folder, operation, when);
        const writeOn = async (): Promise<never> => {
          for (;;) {
            await writeCheckpoint(dying, at(step + 1));
            step++;
          }
        };
        await expect(writeOn()).rejects.toThrow(Died);
        const { checkpoint, problems } = await resumeCheckpoint(folder);
        expect(problems).toEqual([]);
        const found = checkpoint ? (checkpoint.state as { step: number }).step : 0;
        expect([step, step + 1]).toContain(found);
        step = found;
      }
    }),
    { numRuns: 60 },
  );
});

test('any flipped byte of the newest is noticed, named, and the one before is read', async () => {
  const folder = await newFolder();
  await writeCheckpoint(folder, at(1));
  await writeCheckpoint(folder, at(2));
  const newest = (await folder.list()).filter(({ name }) => name.startsWith('checkpoint-000002'));
  expect(newest).toHaveLength(3);
  for (const { name, size } of newest) {
    for (let byte = 0; byte < size; byte++) {
      await flipByte(folder, name, byte);
      const { step, problems } = await stepOf(folder);
      expect([step, problems.length], `${name} byte ${byte}`).toEqual([1, 1]);
      expect(problems[0]).toContain('checkpoint-000002');
      await flipByte(folder, name, byte);
    }
  }
  expect(await stepOf(folder)).toEqual({ step: 2, problems: [] });
});

test('a file that is cut or missing is noticed like a flipped byte; with both damaged there is none', async () => {
  const folder = await newFolder();
  await writeCheckpoint(folder, at(1));
  await writeCheckpoint(folder, at(2));
  await folder.truncate('checkpoint-000002.safetensors', 100);
  expect(await stepOf(folder)).toEqual({
    step: 1,
    problems: ['checkpoint-000002.safetensors: it has 100 bytes instead of 444: it is damaged'],
  });
  await folder.delete('checkpoint-000001.state.json');
  const { step, problems } = await stepOf(folder);
  expect([step, problems[1]]).toEqual([null, 'checkpoint-000001.state.json: it is missing']);
});

test('a run that goes on from the one before is never mixed with what was damaged', async () => {
  const folder = await newFolder();
  await writeCheckpoint(folder, at(1));
  await writeCheckpoint(folder, at(2));
  await flipByte(folder, 'checkpoint-000002.state.json', 3);
  const { checkpoint, problems } = await resumeCheckpoint(folder);
  expect([checkpoint, problems.length]).toStrictEqual([at(1), 1]);
  expect(await generationsIn(folder)).toEqual(['checkpoint-000001']);
  await writeCheckpoint(folder, at(3));
  await folder.truncate('checkpoint-000002.safetensors', 8);
  expect((await stepOf(folder)).step).toBe(1);
});

test('when storage is full the last checkpoint stays; the one before it makes room', async () => {
  const sizing = await newFolder();
  await writeCheckpoint(sizing, at(1));
  const one = (await sizing.list()).reduce((sum, { size }) => sum + size, 0);

  const tight = await newFolder(Math.floor(2.5 * one));
  for (let step = 1; step <= 4; step++) {
    await writeCheckpoint(tight, at(step));
    expect(await stepOf(tight)).toEqual({ step, problems: [] });
  }
  const full = await newFolder(Math.floor(1.5 * one));
  await writeCheckpoint(full, at(1));
  await expect(writeCheckpoint(full, at(2))).rejects.toThrow(StorageFullError);
  expect(await stepOf(full)).toEqual({ step: 1, problems: [] });
  expect(await generationsIn(full)).toEqual(['checkpoint-000001']);
});
