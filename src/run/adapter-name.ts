import type { AdapterDescription } from '../gpu/device';

/** Everything that an adapter says of itself, in one line of an export. */
export function adapterName({ vendor, architecture, description }: AdapterDescription): string {
  return [vendor, architecture, description].filter(Boolean).join(' ');
}

/** "NVIDIA GPU (driver 580.159.04)", "Turing", "a software adapter (SwiftShader)". */
export function describeAdapter({ vendor, architecture, description, software }: AdapterDescription): string {
  const name = description || [vendor, architecture].filter(Boolean).join(' ');
  if (software) return `a software adapter${name ? ` (${name})` : ''}`;
  // Vulkan's driver gives its own name and version for a description, and the card's name not at all.
  const [, driver, driverVersion] = /^([\w ]+): (\S+)/.exec(description) ?? [];
  if (driver) return `${driver} GPU (driver ${driverVersion})`;
  return name || 'a GPU that does not say its name';
}
