import { quoted } from '../formats/refusal';

/**
 * JSON that reads back as the very same value, number by number: JSON.stringify would make null of a NaN and
 * 0 of a −0 without a word. Properties that are undefined are left out.
 *
 * @throws Error that names the first part that JSON cannot hold.
 */
export function exactJson(value: unknown, path = 'the value'): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`${path} is ${value}, which JSON cannot hold.`);
    return Object.is(value, -0) ? '-0' : JSON.stringify(value);
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${Array.from(value, (entry: unknown, i) => exactJson(entry, `${path}[${i}]`)).join(',')}]`;
  }
  if (typeof value !== 'object' || ![Object.prototype, null].includes(Object.getPrototypeOf(value) as null)) {
    throw new Error(`${path} is ${quoted(value)} that JSON cannot hold.`);
  }
  const properties = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return `{${properties.map(([key, entry]) => `${JSON.stringify(key)}:${exactJson(entry, `${path}.${key}`)}`).join(',')}}`;
}
