import type { AdapterDescription } from '../gpu/device';

/** Everything that an adapter says of itself, in one line of an export. */
export function adapterName({ vendor, architecture, description }: AdapterDescription): string {
  return [vendor, architecture, description].filter(Boolean).join(' ');
}

/** "an NVIDIA Turing GPU", "a software adapter (SwiftShader)". */
export function describeAdapter({ vendor, architecture, description, software }: AdapterDescription): string {
  const name = description || [vendor, architecture].filter(Boolean).join(' ');
  if (software) return `a software adapter${name ? ` (${name})` : ''}`;
  return name || 'a GPU that does not say its name';
}
