import type { LlamaConfig } from '../../llama/config';

/** What the drawing shows and how it is used, for whoever cannot see it. */
export function describeUnits(
  { numHiddenLayers, numKeyValueHeads, intermediateSize }: LlamaConfig,
  pinning: boolean,
): string {
  const units = `${numHiddenLayers} layers of ${numKeyValueHeads} head groups and ${intermediateSize} MLP units. The table has the numbers.`;
  return pinning ? `${units} Arrow keys choose a unit, Enter closes or keeps it by hand.` : units;
}
