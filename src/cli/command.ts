/** What a command says: `json` for --json, `text` for people. */
export interface Answer {
  json: unknown;
  text: string;
}

export interface CommandInput {
  positionals: string[];
  options: Record<string, string | boolean | undefined>;
}

/** An option of a command, from which the command line is read and its help is made. */
export interface Option {
  /** Placeholder of its value, such as FILE; a switch has none. */
  value?: string;
  help: string;
  required?: true;
}

export interface Command {
  name: string;
  /** Names that it had. */
  aliases?: readonly string[];
  argument?: { name: string; optional?: true };
  /** What it does, in one line. */
  summary: string;
  options: Readonly<Record<string, Option>>;
  run(input: CommandInput): Promise<Answer>;
}

/** The command line cannot be understood: exit code 2. The message is one sentence. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The user stopped the work, which can be taken up again: exit code 130. The message says how. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** Options of every command. */
export const COMMON_OPTIONS = {
  json: { help: 'answer in JSON' },
  help: { help: 'what the command does and takes (also -h)' },
  version: { help: 'the lab’s version' },
} as const satisfies Command['options'];

/** A number option, checked. @throws UsageError that names the option. */
export function numberOption(
  options: CommandInput['options'],
  name: string,
  fallback: number,
  [min, max]: readonly [number, number],
  whole = true,
): number {
  const given = options[name];
  if (given === undefined) return fallback;
  const value = Number(given);
  if (
    given === '' ||
    !Number.isFinite(value) ||
    value < min ||
    value > max ||
    (whole && !Number.isInteger(value))
  ) {
    throw new UsageError(`--${name} must be a${whole ? ' whole' : ''} number from ${min} to ${max}.`);
  }
  return value;
}

/** A text option, or undefined where it was not given. */
export function textOption(options: CommandInput['options'], name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}
