import { uniform } from '../data/random';
import { adapterLayout, type LoraOptions } from '../llama/adapters';
import type { LlamaConfig } from '../llama/config';
import { LINEARS } from '../llama/parameters';

/** Key of the random stream, next to those of src/data/sampler.ts and initialise.ts. */
const ADAPTER_STREAM = 4;

/**
 * Adapters before any training, flat in their layout: A uniform in ±1/√inputs, which is what PEFT draws
 * (kaiming_uniform_ with a = √5), and B zero, so that the adapted model is the model. An A is a function of the seed,
 * its layer and its projection alone.
 */
export function initialAdapters(config: LlamaConfig, lora: LoraOptions): Float32Array {
  const { layers, total } = adapterLayout(config, lora);
  const values = new Float32Array(total);
  for (const layer of layers) {
    for (const { a, inputs, site } of LINEARS.flatMap((name) => layer[name])) {
      const bound = 1 / Math.sqrt(inputs);
      for (let i = 0; i < a.elements; i++) {
        values[a.offset + i] = bound * (2 * uniform(lora.seed, ADAPTER_STREAM, site, i) - 1);
      }
    }
  }
  return values;
}
