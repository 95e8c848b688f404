/** What a command says: `json` for --json, `text` for people. */
export interface Answer {
  json: unknown;
  text: string;
}

export interface CommandInput {
  positionals: string[];
  options: Record<string, string | boolean | undefined>;
}

/** A number option, checked. @throws one sentence that names the option. */
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
    throw new Error(`--${name} must be a${whole ? ' whole' : ''} number from ${min} to ${max}.`);
  }
  return value;
}
