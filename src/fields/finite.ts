/**
 * A measured number is NaN or infinite, so nothing may be published or steered by it. The message is one sentence
 * that says what was measured, where, and since when.
 */
export class NotFiniteError extends Error {
  override name = 'NotFiniteError';
}

/**
 * Gives `value` back if it is a finite number.
 *
 * @param what begins the sentence: "The loss of the source model on code"
 * @param advice what to do about it, as a sentence
 * @throws NotFiniteError
 */
export function finite(value: number, what: string, advice = ''): number {
  if (Number.isFinite(value)) return value;
  throw new NotFiniteError(`${what} is ${value}, not a finite number.${advice && ` ${advice}`}`);
}

/** Gives `values` back if all of them are finite numbers. @throws NotFiniteError that says which is not */
export function allFinite<T extends ArrayLike<number>>(values: T, what: string, advice = ''): T {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // False for NaN, too; several times as fast as a call for each of millions of weights.
    if (!(Math.abs(value) < Infinity)) finite(value, `${what} at place ${i + 1}`, advice);
  }
  return values;
}

/** Does `work`; a NotFiniteError out of it says where or since when: `where` goes before its sentence. */
export async function tellingWhere<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NotFiniteError)) throw error;
    const { message } = error;
    throw new NotFiniteError(`${where}: ${message[0]!.toLowerCase()}${message.slice(1)}`, { cause: error });
  }
}

/**
 * JSON of what is published. JSON has no NaN and no infinity: `JSON.stringify` would write null for them.
 *
 * @throws NotFiniteError that names the field
 */
export function publishedJson(value: unknown, what: string, indent?: number): string {
  return JSON.stringify(
    value,
    (name, field: unknown) =>
      typeof field === 'number' ? finite(field, `${what}: ${name === '' ? 'the value' : name}`) : field,
    indent,
  );
}
