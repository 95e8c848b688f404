import type { GateLayout } from '../kernels/gate-layout';
import type { LlamaConfig } from './config';

/** The flat gate buffer of a model: hidden | heads (one a key/value group) | intermediate | layers. */
export function gateLayout(config: LlamaConfig): GateLayout {
  const { hiddenSize, numHiddenLayers: layers, numKeyValueHeads, intermediateSize } = config;
  const head = hiddenSize;
  const intermediate = head + layers * numKeyValueHeads;
  const layer = intermediate + layers * intermediateSize;
  return {
    hidden: { offset: 0, rows: 1, length: hiddenSize },
    head: { offset: head, rows: layers, length: numKeyValueHeads },
    intermediate: { offset: intermediate, rows: layers, length: intermediateSize },
    layer: { offset: layer, rows: 1, length: layers },
    total: layer + layers,
  };
}
