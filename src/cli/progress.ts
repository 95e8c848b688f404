/** In a log, where a line can't be written over, the same work is told of this often. */
const LOG_INTERVAL_MS = 5000;

export interface Progress {
  /** Over the last line on a terminal; in a log now and then, and whenever other work begins. */
  say(line: string): void;
  /** Ends the line that is being written over. */
  end(): void;
}

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let last = 0;
  let work = '';
  let width = 0;
  return {
    say(line) {
      if (stream.isTTY) {
        stream.write(`\r${line.padEnd(width)}`);
        width = line.length;
        return;
      }
      const words = line.replace(/\d.*/s, '');
      if (words === work && Date.now() - last < LOG_INTERVAL_MS) return;
      work = words;
      last = Date.now();
      stream.write(`${line}\n`);
    },
    end() {
      if (stream.isTTY && width > 0) stream.write('\n');
      width = 0;
    },
  };
}

/** Time left in the words of a progress line. */
export function secondsLeft(elapsedMs: number, done: number, total: number): string {
  return `${Math.ceil(((elapsedMs / done) * (total - done)) / 1000)} s left`;
}
