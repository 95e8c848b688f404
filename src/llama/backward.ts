import { sliceElements, type Slice } from '../gpu/buffers';
import type { Recorder } from '../gpu/program';
import { attentionBackward } from '../kernels/attention';
import { columnSum } from '../kernels/column-sum';
import { embeddingBackward } from '../kernels/embedding';
import { gateGradient } from '../kernels/gate-gradient';
import { headGateSums } from '../kernels/head-gate-sums';
import { productSums, type PendingSum } from '../kernels/product-sums';
import { rmsNormBackward } from '../kernels/rms-norm';
import { swigluBackward } from '../kernels/swiglu';
import { branchBefore } from './forward';
import { gateLayout } from './gates';
import { linearBackward } from './linear';
import { regionSlice, type ModelView } from './model';
import type { LinearName, Region } from './parameters';
import { deltaStride, partialColumns, type BatchShape, type TrainingWorkspace } from './workspace';

/**
 * The gradient of every weight or, where the model has adapters, of these alone, and, with `gateGradients`, of every
 * gate, from the gradient of the last norm's output in `at.normedGradient`. `gradients` has the layout of what is
 * trained: of the parameters, or of the adapters. Each product Y = X·Wᵀ gives dX = dY·W and dW = dYᵀ·X (linear.ts);
 * sums over rows go through `at.partials`, without atomics.
 * `atNormGradient` is called when `at.normedGradient` is complete for a site, before its norm's own gradient.
 */
export function recordBackward(
  recorder: Recorder,
  model: ModelView,
  gradients: Slice,
  at: TrainingWorkspace,
  { batch, context }: BatchShape,
  gateGradients: Slice | null,
  atNormGradient?: (site: number) => void,
): void {
  const { config, layout, parameters } = model;
  const frozen = model.adapters !== null;
  /** Whether anything is trained that lies before the first product: embedding, first norm or hidden gates. */
  const trainsFirst = !frozen || gateGradients !== null;
  const rows = batch * context;
  const { hiddenSize: hidden, intermediateSize: intermediate, headDim } = config;
  const { numAttentionHeads: heads, numKeyValueHeads: keyValueHeads, numHiddenLayers } = config;
  const gates = gateLayout(config);
  const columns = partialColumns(config);

  const pending: PendingSum[] = [];

  const linear = (layer: number, name: LinearName, x: Slice, dY: Slice, dX: Slice | null, label: string) =>
    linearBackward(recorder, model, gradients, at, { layer, name, x, dY, dX, rows, pending, label });
  const normBackward = (site: number, label: string) => {
    const branch = branchBefore(config, site);
    atNormGradient?.(site);
    rmsNormBackward(recorder, {
      x: at.residual[site]!,
      weights: regionSlice(parameters, layout.norms),
      weightOffset: site * hidden,
      gates: at.gates,
      dY: at.normedGradient,
      dX: at.residualGradient,
      addToResidual: site < 2 * numHiddenLayers,
      ...(branch && {
        branch: {
          output: at.branch[branch.index]!,
          layerGate: branch.layerGate,
          dOutput: at.branchGradient,
        },
        branchColumn: columns.branches + branch.index * hidden,
      }),
      partials: at.partials,
      weightColumn: columns.normWeights + site * hidden,
      hiddenGateColumn: columns.normGates + site * hidden,
      rows,
      hidden,
      epsilon: config.rmsNormEps,
      label: `${label} gradient`,
    });
  };
  const biasBackward = (dY: Slice, region: Region | null, label: string) => {
    if (!region || frozen) return;
    columnSum(recorder, {
      partials: { slice: dY, blocks: rows, columns: region.elements },
      firstColumn: 0,
      columns: region.elements,
      destination: gradients,
      destinationOffset: region.offset,
      label: `${label} gradient`,
    });
  };

  normBackward(2 * numHiddenLayers, 'final norm');
  for (let l = numHiddenLayers - 1; l >= 0; l--) {
    const layer = layout.layers[l]!;
    const name = `layer ${l}`;
    biasBackward(at.branchGradient, layer.downBias, `${name} down bias`);
    linear(l, 'down', at.activated[l]!, at.branchGradient, at.activatedGradient, `${name} down`);
    swigluBackward(recorder, {
      gateUp: at.gateUp[l]!,
      dAct: at.activatedGradient,
      gates: at.gates,
      intermediateGate: gates.intermediate.offset + l * intermediate,
      partials: at.partials,
      intermediateGateColumn: columns.intermediate + l * intermediate,
      rows,
      intermediate,
      label: `${name} swiglu gradient`,
    });
    biasBackward(at.gateUp[l]!, layer.gateUpBias, `${name} gate-up bias`);
    linear(l, 'gateUp', at.normed[2 * l + 1]!, at.gateUp[l]!, at.normedGradient, `${name} gate-up`);
    normBackward(2 * l + 1, `${name} post-attention norm`);

    biasBackward(at.branchGradient, layer.outputBias, `${name} attention output bias`);
    linear(l, 'output', at.attended[l]!, at.branchGradient, at.attendedGradient, `${name} attention output`);
    attentionBackward(recorder, {
      qkv: at.qkv[l]!,
      table: at.rope,
      gates: at.gates,
      headGate: gates.head.offset + l * keyValueHeads,
      context: at.attended[l]!,
      dContext: at.attendedGradient,
      lse: at.logSumExp[l]!,
      dqkv: at.qkvGradient,
      delta: sliceElements(at.delta, l * deltaStride(config, { batch, context }), rows * heads),
      batch,
      contextLength: context,
      heads,
      keyValueHeads,
      headDim,
      label: `${name} attention gradient`,
    });
    const inputGradient = l > 0 || trainsFirst ? at.normedGradient : null;
    biasBackward(at.qkvGradient, layer.qkvBias, `${name} qkv bias`);
    linear(l, 'qkv', at.normed[2 * l]!, at.qkvGradient, inputGradient, `${name} qkv`);
    productSums(recorder, {
      pending,
      products: at.productScratch.whole,
      destination: gradients,
      label: `${name} weight gradient sums`,
    });
    if (inputGradient) normBackward(2 * l, `${name} input norm`);
  }
  if (!frozen) {
    embeddingBackward(recorder, {
      dOutput: at.residualGradient,
      positions: at.positions,
      starts: at.starts,
      dTable: regionSlice(gradients, layout.embedding),
      accumulate: config.tieWordEmbeddings,
      vocabulary: config.vocabSize,
      hidden,
      label: 'embedding gradient',
    });

    columnSum(recorder, {
      partials: at.partials,
      firstColumn: columns.normWeights,
      columns: layout.norms.elements,
      destination: gradients,
      destinationOffset: layout.norms.offset,
      label: 'norm weight gradients',
    });
  }
  if (!gateGradients) return;
  columnSum(recorder, {
    partials: at.partials,
    firstColumn: columns.normGates,
    columns: columns.total - columns.normGates,
    destination: at.gateSums,
    destinationOffset: 0,
    label: 'gate gradient sums',
  });
  headGateSums(recorder, {
    delta: at.delta,
    stride: deltaStride(config, { batch, context }),
    gates: at.gates,
    headGate: gates.head.offset,
    sums: at.gateSums,
    to: columns.total - columns.normGates,
    layers: numHiddenLayers,
    rows,
    heads,
    keyValueHeads,
    label: 'head gate gradient sums',
  });
  gateGradient(recorder, {
    sums: at.gateSums,
    gates: at.gates,
    gradient: sliceElements(gateGradients, 0, gates.total),
    hidden,
    layers: numHiddenLayers,
    keyValueHeads,
    intermediate,
    label: 'gate gradients',
  });
}
