import { parameterLayout, unpackParameters, type FlatModel } from '../llama/parameters';
import { sha256Of } from './sha256';

/**
 * What a model is known by, whatever its folder is called: SHA-256 of a text with a line for each tensor, in the
 * order of their names: `name shape sha256`, the shape as "64,192" and the hash that of its values as little-endian
 * float32. How a file holds them (f16, shards, metadata) makes no difference, nor does the lab's own layout.
 * scripts/pretrain/weights_hash.py computes the same.
 *
 * @returns lower-case hexadecimal; null where there are no digests (outside of secure contexts)
 */
export async function weightsHash({ config, parameters }: FlatModel): Promise<string | null> {
  const layout = parameterLayout(config);
  const tensors = unpackParameters(layout, parameters);
  const lines = await Promise.all(
    layout.tensors.map(async ({ name, shape }) => {
      const values = tensors.get(name)! as Float32Array<ArrayBuffer>;
      return `${name} ${shape.join(',')} ${await sha256Of(values)}\n`;
    }),
  );
  // By UTF-16 code unit, which for these ASCII names is the order of bytes.
  return sha256Of(new TextEncoder().encode(lines.sort().join('')));
}
