import { sliceElements, type Slice } from '../gpu/buffers';
import type { AdapterLayout, LoraOptions } from './adapters';
import type { LlamaConfig } from './config';
import type { ParameterLayout, Region } from './parameters';

/** A model as the programs see it: its shape, where its weights lie, and the buffers. */
export interface ModelView {
  config: LlamaConfig;
  layout: ParameterLayout;
  parameters: Slice;
  /** Null: the weights are all there is. Otherwise they are frozen, and only adapters are trained. */
  adapters: AdaptersView | null;
}

export interface AdaptersView {
  lora: LoraOptions;
  layout: AdapterLayout;
  /** Flat, in the layout. */
  values: Slice;
  /** Uniform buffer of the step's inputs, from which dropout draws; null drops nothing: evaluation. */
  step: Slice | null;
}

export function regionSlice(whole: Slice, region: Region): Slice {
  return sliceElements(whole, region.offset, region.elements);
}
