import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOG_FILES, openLog, readFrame, readLines } from './log';
import { openMemoryStore } from './memory-store';
import { someRun } from './run-store.contract';
import type { RunFiles, RunFolder } from './run-store';
import { Died, dyingFolder } from './testing';

async function newFolder(): Promise<RunFolder> {
  return openMemoryStore('For this test.').create(someRun());
}

async function linesOf(files: RunFiles): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(files)) lines.push(line);
  return lines;
}

const line = fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text));

test('lines and frames are read back as they were added', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(line, fc.uint8Array({ maxLength: 40 }))), async (entries) => {
      const folder = await newFolder();
      const log = await openLog(folder);
      const places = await Promise.all(
        entries.map(async ([text, frame]) => {
          const place = log.appendFrame(frame);
          await log.append([text]);
          return place;
        }),
      );
      expect(await linesOf(folder)).toEqual(entries.map(([text]) => text));
      for (const [i, [, frame]] of entries.entries())
        expect(await readFrame(folder, places[i]!)).toEqual(frame);
    }),
  );
});

test('text outside ASCII and a byte order mark survive where two chunks meet', async () => {
  const folder = await newFolder();
  const log = await openLog(folder);
  const lines = Array.from({ length: 4000 }, (_, i) => `\ufeff${'漢😀'.repeat(20 + (i % 7))}${i}`);
  await log.append(lines);
  expect((await folder.list())[1]!.size).toBeGreaterThan(2 * (256 << 10));
  expect(await linesOf(folder)).toEqual(lines);
});

test('a line that is longer than a chunk is one line; one without an end is refused', async () => {
  const folder = await newFolder();
  const log = await openLog(folder);
  const lines = ['a', 'x'.repeat(700_000), '', 'b'];
  await log.append(lines);
  expect(await linesOf(folder)).toEqual(lines);
  await expect(log.append(['two\nlines'])).rejects.toThrow('must not contain a line feed');
  await folder.append(LOG_FILES.lines, new Uint8Array(17 << 20));
  await expect(linesOf(folder)).rejects.toThrow('more than 16 MB');
});

test('cut at any byte, the whole lines and frames stay and the log goes on after them', async () => {
  const lines = ['{"step":1}', '{"text":"漢"}', '', '{"step":3}'];
  const frames = [Uint8Array.of(1, 2, 3), new Uint8Array(), Uint8Array.of(9, 8, 7, 6, 5)];
  const whole = await newFolder();
  const log = await openLog(whole);
  await log.append(lines);
  for (const frame of frames) await log.appendFrame(frame);
  const lineBytes = (await whole.read(LOG_FILES.lines))!;
  const frameBytes = (await whole.read(LOG_FILES.frames))!;

  for (let cut = 0; cut <= lineBytes.length; cut++) {
    const folder = await newFolder();
    await folder.append(LOG_FILES.lines, lineBytes.subarray(0, cut));
    const kept = new TextDecoder().decode(lineBytes.subarray(0, cut)).split('\n').slice(0, -1);
    expect(await linesOf(folder)).toEqual(kept);
    await (await openLog(folder)).append(['on']);
    expect(await linesOf(folder)).toEqual([...kept, 'on']);
  }
  const ends = [7, 11, 20];
  for (let cut = 0; cut <= frameBytes.length; cut++) {
    const folder = await newFolder();
    await folder.append(LOG_FILES.frames, frameBytes.subarray(0, cut));
    const place = await (await openLog(folder)).appendFrame(Uint8Array.of(42));
    expect(place).toBe(ends.findLast((end) => end <= cut) ?? 0);
    expect(await readFrame(folder, place)).toEqual(Uint8Array.of(42));
  }
});

test('a run that goes on cuts what came after its checkpoint', async () => {
  const folder = await newFolder();
  const log = await openLog(folder);
  await log.append(['1', '2']);
  await log.appendFrame(Uint8Array.of(1));
  const position = await log.flush();
  await log.append(['3', '4']);
  const lost = await log.appendFrame(Uint8Array.of(2, 2));
  const again = await openLog(folder, position);
  expect(await readFrame(folder, lost)).toBeNull();
  await again.append(['3']);
  expect(await again.appendFrame(Uint8Array.of(3))).toBe(lost);
  expect(await linesOf(folder)).toEqual(['1', '2', '3']);
  expect(await again.flush()).toEqual({ lines: 6, frames: 10 });
});

test('a log that does not reach its checkpoint is said to, in one sentence', async () => {
  const folder = await newFolder();
  const log = await openLog(folder);
  await log.append(['{"step":1}']);
  await expect(openLog(folder, { lines: 40, frames: 0 })).rejects.toThrow('no line ends at byte 40');
  await expect(openLog(folder, { lines: 5, frames: 0 })).rejects.toThrow('no line ends at byte 5');
  await expect(openLog(folder, { lines: 11, frames: 3 })).rejects.toThrow(
    'frames.bin has 0 bytes, fewer than the 3 that it should be cut to.',
  );
});

test('killed at any change, the log has a beginning of what was added', async () => {
  const added = Array.from({ length: 12 }, (_, i) => `{"step":${i}}`);
  for (const when of ['before', 'half', 'after'] as const) {
    for (let operation = 0; operation < 16; operation++) {
      const folder = await newFolder();
      const work = async () => {
        const log = await openLog(dyingFolder(folder, operation, when));
        for (const text of added) await log.append([text]);
        await log.flush();
        return log.flush();
      };
      await expect(work()).rejects.toThrow(Died);
      await openLog(folder);
      const kept = await linesOf(folder);
      expect(kept).toEqual(added.slice(0, kept.length));
      expect(kept.length).toBeGreaterThanOrEqual(Math.min(12, operation - 2));
    }
  }
});

test('100,000 lines are read in small pieces', async () => {
  const folder = await newFolder();
  const log = await openLog(folder);
  const text = JSON.stringify({ type: 'step', loss: [3.25, 2.125], note: 'x'.repeat(300) });
  for (let i = 0; i < 100; i++) await log.append(Array.from({ length: 1000 }, () => text));
  let largest = 0;
  const watched: RunFiles = {
    ...folder,
    read: async (name, from, to) => {
      const bytes = await folder.read(name, from, to);
      largest = Math.max(largest, bytes!.length);
      return bytes;
    },
  };
  let count = 0;
  for await (const found of readLines(watched)) {
    if (found !== text) throw new Error(`line ${count} differs`);
    count++;
  }
  expect(count).toBe(100_000);
  expect(largest).toBeLessThanOrEqual(256 << 10);
});
