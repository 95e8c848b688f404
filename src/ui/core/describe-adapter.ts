import type { AdapterDescription } from '../../gpu/device';

/** "an NVIDIA Turing GPU", "a software adapter (SwiftShader)". */
export function describeAdapter({ vendor, architecture, description, software }: AdapterDescription): string {
  const name = description || [vendor, architecture].filter(Boolean).join(' ');
  if (software) return `a software adapter${name ? ` (${name})` : ''}`;
  return name || 'a GPU that does not say its name';
}
