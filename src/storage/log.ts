import { z } from 'zod';
import { refuse, wholeNumber } from '../formats/refusal';
import { createQueue } from './queue';
import type { RunFiles, RunFolder } from './run-store';

/** Lines of JSON, and beside them frames: bytes that would be too bulky as JSON. */
export const LOG_FILES = { lines: 'metrics.jsonl', frames: 'frames.bin' } as const;

const size = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** How many bytes of each file: what a checkpoint notes. */
export const logPositionSchema = z.strictObject({ lines: size, frames: size });
export type LogPosition = z.infer<typeof logPositionSchema>;

export interface Log {
  /** Adds lines without their line feeds. */
  append(lines: readonly string[]): Promise<void>;
  /** Adds a frame. Returns where it begins, for a line to name and for `readFrame`. */
  appendFrame(bytes: Uint8Array): Promise<number>;
  /** From here on a power failure loses nothing of what was added so far. */
  flush(): Promise<LogPosition>;
}

const CHUNK = 256 << 10;
/** Beyond this it is no line that the lab wrote. */
const MAX_LINE = 16 << 20;
const MAX_FRAME = 64 << 20;
const LINE_FEED = 10;
/** A frame's length (u32, little-endian) stands before it. */
const FRAME_HEADER = 4;

/**
 * Opens a run's log to add to it.
 *
 * @param position where the checkpoint stands from which the run goes on: all that came later is cut. Without
 * one only a torn end is cut, which a killed process leaves.
 * @throws StorageError, InputError if the log does not reach as far as `position`, or no line ends there.
 */
export async function openLog(folder: RunFolder, position?: LogPosition): Promise<Log> {
  const start = position ?? (await wholePart(folder));
  if (start.lines > 0) {
    const [last] = (await folder.read(LOG_FILES.lines, start.lines - 1, start.lines)) ?? [];
    if (last !== LINE_FEED) refuse(LOG_FILES.lines, `no line ends at byte ${start.lines}`);
  }
  await folder.truncate(LOG_FILES.lines, start.lines);
  await folder.truncate(LOG_FILES.frames, start.frames);
  const at = { lines: start.lines, frames: start.frames };
  const inOrder = createQueue();
  return {
    append: (added) =>
      inOrder(async () => {
        if (added.length === 0) return;
        if (added.some((line) => line.includes('\n'))) {
          throw new Error('A line of the log must not contain a line feed.');
        }
        const bytes = new TextEncoder().encode(added.map((line) => `${line}\n`).join(''));
        await folder.append(LOG_FILES.lines, bytes);
        at.lines += bytes.length;
      }),
    appendFrame: (bytes) =>
      inOrder(async () => {
        if (bytes.length > MAX_FRAME) throw new Error('A frame of the log has at most 64 MB.');
        const framed = new Uint8Array(FRAME_HEADER + bytes.length);
        new DataView(framed.buffer).setUint32(0, bytes.length, true);
        framed.set(bytes, FRAME_HEADER);
        await folder.append(LOG_FILES.frames, framed);
        const begin = at.frames;
        at.frames += framed.length;
        return begin;
      }),
    flush: () =>
      inOrder(async () => {
        await folder.flush(LOG_FILES.frames);
        await folder.flush(LOG_FILES.lines);
        return { ...at };
      }),
  };
}

/** The whole lines of a log, a piece of it at a time: a torn last line is left out. @throws InputError */
export async function* readLines(files: RunFiles): AsyncGenerator<string> {
  for await (const { text } of readLineBlocks(files)) yield* text.split('\n');
}

/** A frame by where it begins; null where there is none or its end is torn off. */
export async function readFrame(files: RunFiles, at: number): Promise<Uint8Array<ArrayBuffer> | null> {
  const header = await files.read(LOG_FILES.frames, at, at + FRAME_HEADER);
  if (header?.length !== FRAME_HEADER) return null;
  const length = new DataView(header.buffer).getUint32(0, true);
  // Bytes after a torn end could ask for gigabytes.
  if (length > MAX_FRAME) return null;
  const bytes = await files.read(LOG_FILES.frames, at + FRAME_HEADER, at + FRAME_HEADER + length);
  return bytes?.length === length ? bytes : null;
}

/** The whole part of both files, without torn ends. */
async function wholePart(files: RunFiles): Promise<LogPosition> {
  let lines = 0;
  for await (const { end } of readLineBlocks(files)) lines = end;
  let frames = 0;
  for (let frame; (frame = await readFrame(files, frames));) frames += FRAME_HEADER + frame.length;
  return { lines, frames };
}

/** Whole lines in blocks of about a chunk, without the last line feed; `end` is the position after it. */
async function* readLineBlocks(files: RunFiles): AsyncGenerator<{ text: string; end: number }> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = new Uint8Array();
  for (let position = 0; ;) {
    const chunk = await files.read(LOG_FILES.lines, position, position + CHUNK);
    if (!chunk || chunk.length === 0) return;
    position += chunk.length;
    const whole = chunk.lastIndexOf(LINE_FEED);
    if (whole < 0) {
      rest = concatenated(rest, chunk);
      if (rest.length > MAX_LINE) refuse(LOG_FILES.lines, 'a line has more than 16 MB, so this is no log');
      continue;
    }
    const text = decoder.decode(concatenated(rest, chunk.subarray(0, whole)));
    rest = chunk.slice(whole + 1);
    yield { text, end: position - rest.length };
  }
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
