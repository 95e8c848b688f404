import { sliceElements, type Slice } from '../gpu/buffers';
import type { Recorder } from '../gpu/program';
import { addBias } from '../kernels/add-bias';
import { attentionForward } from '../kernels/attention';
import { crossEntropy } from '../kernels/cross-entropy';
import { distillation } from '../kernels/distillation';
import { embeddingForward } from '../kernels/embedding';
import { matmul } from '../kernels/matmul';
import { rmsNormForward } from '../kernels/rms-norm';
import { rope } from '../kernels/rope';
import { swigluForward } from '../kernels/swiglu';
import { targetRank } from '../kernels/target-rank';
import type { LlamaConfig } from './config';
import { gateLayout } from './gates';
import { linearForward } from './linear';
import { regionSlice, type ModelView } from './model';
import type { LinearName, Region } from './parameters';
import { logitsRows, type Activations, type AdapterBuffers, type BatchShape } from './workspace';

/** The branch that site `s` adds to the residual before its norm: that of the site before. */
export function branchBefore(config: LlamaConfig, site: number) {
  if (site === 0) return null;
  return { index: site - 1, layerGate: gateLayout(config).layer.offset + Math.floor((site - 1) / 2) };
}

/** How a pass computes what depends on the number of its rows. */
export interface BlockOperators {
  /** y = x·Wᵀ, plus the bias where the model has one. */
  linear(place: {
    layer: number;
    name: LinearName;
    x: Slice;
    y: Slice;
    bias: Region | null;
    label: string;
  }): void;
  /** A layer's attention, from its input norm's output to `attended`: product, rotation, weighted values. */
  attention(layer: number, label: string): void;
}

/** Where a pass of any number of rows leaves what it computes. */
export type ForwardBuffers = Activations & { rope: Slice; gates: Slice };

/**
 * Tokens to the last norm's output: x = Embed(tokens), each layer's gated attention and gated MLP, the
 * final norm (Sheared LLaMA §2.1; docs/method.md says where each gate enters). All 2L + 1 norms are
 * numbered as sites: 2l is layer l's input norm, 2l + 1 its post-attention norm, 2L the final one.
 */
export function recordBlocks(
  recorder: Recorder,
  { config, layout, parameters }: ModelView,
  at: ForwardBuffers,
  rows: number,
  { linear, attention }: BlockOperators,
): void {
  const { hiddenSize: hidden, intermediateSize: intermediate, numHiddenLayers } = config;
  const gates = gateLayout(config);

  const norm = (site: number, label: string) => {
    const branch = branchBefore(config, site);
    rmsNormForward(recorder, {
      x: at.residual[Math.max(0, site - 1)]!,
      ...(branch && {
        branch: { output: at.branch[branch.index]!, layerGate: branch.layerGate },
        residual: at.residual[site]!,
      }),
      weights: regionSlice(parameters, layout.norms),
      weightOffset: site * hidden,
      gates: at.gates,
      y: at.normed[site]!,
      rows,
      hidden,
      epsilon: config.rmsNormEps,
      label,
    });
  };

  embeddingForward(recorder, {
    table: regionSlice(parameters, layout.embedding),
    tokens: at.tokens,
    output: at.residual[0]!,
    rows,
    hidden,
    label: 'embedding',
  });
  for (let l = 0; l < numHiddenLayers; l++) {
    const layer = layout.layers[l]!;
    const name = `layer ${l}`;

    norm(2 * l, `${name} input norm`);
    attention(l, name);
    linear({
      layer: l,
      name: 'output',
      x: at.attended[l]!,
      y: at.branch[2 * l]!,
      bias: layer.outputBias,
      label: `${name} attention output`,
    });

    norm(2 * l + 1, `${name} post-attention norm`);
    linear({
      layer: l,
      name: 'gateUp',
      x: at.normed[2 * l + 1]!,
      y: at.gateUp[l]!,
      bias: layer.gateUpBias,
      label: `${name} gate-up`,
    });
    swigluForward(recorder, {
      gateUp: at.gateUp[l]!,
      gates: at.gates,
      intermediateGate: gates.intermediate.offset + l * intermediate,
      act: at.activated[l]!,
      rows,
      intermediate,
      label: `${name} swiglu`,
    });
    linear({
      layer: l,
      name: 'down',
      x: at.activated[l]!,
      y: at.branch[2 * l + 1]!,
      bias: layer.downBias,
      label: `${name} down`,
    });
  }
  norm(2 * numHiddenLayers, 'final norm');
}

/** `recordBlocks` over whole sequences: all B·T rows at once. */
export function recordForward(
  recorder: Recorder,
  model: ModelView,
  at: ForwardBuffers & { adapters: AdapterBuffers | null },
  { batch, context }: BatchShape,
): void {
  const { config, layout, parameters } = model;
  const rows = batch * context;
  const { headDim, numAttentionHeads: heads, numKeyValueHeads: keyValueHeads } = config;
  const gates = gateLayout(config);
  const weights = (region: Region) => regionSlice(parameters, region);

  const linear: BlockOperators['linear'] = ({ layer, name, x, y, bias, label }) => {
    linearForward(recorder, model, at.adapters, { layer, name, x, y, rows, label });
    if (!bias) return;
    const columns = bias.elements;
    addBias(recorder, { values: y, bias: weights(bias), rows, columns, label: `${label} bias` });
  };
  const attention = (l: number, name: string) => {
    const { qkvBias } = layout.layers[l]!;
    const qkv = at.qkv[l]!;
    // The rotation adds the bias.
    linear({ layer: l, name: 'qkv', x: at.normed[2 * l]!, y: qkv, bias: null, label: `${name} qkv` });
    rope(recorder, {
      qkv,
      ...(qkvBias && { bias: weights(qkvBias) }),
      table: at.rope,
      batch,
      context,
      heads,
      keyValueHeads,
      headDim,
      label: `${name} rope`,
    });
    attentionForward(recorder, {
      qkv,
      gates: at.gates,
      headGate: gates.head.offset + l * keyValueHeads,
      context: at.attended[l]!,
      lse: at.logSumExp[l]!,
      batch,
      contextLength: context,
      heads,
      keyValueHeads,
      headDim,
      label: `${name} attention`,
    });
  };
  recordBlocks(recorder, model, at, rows, { linear, attention });
}

/** Whose logits a model learns from besides the next tokens, after its own forward pass over the same tokens. */
export interface Teacher {
  model: ModelView;
  /** [M, d of the teacher]: its final norm's output. */
  normed: Slice;
  /** Room for its logits [logitsRows, V]. */
  logits: Slice;
  /** [M]: receives each row's divergence from it (`distillation`). */
  divergences: Slice;
  /** Uniform buffer packed by `packStepInputs`: distillationWeight and distillationTemperature are read. */
  step: Slice;
}

/**
 * Logits, losses, with `ranks` each target's rank, and, with `gradient`, the gradients of the
 * final norm's output and, with its `parameters` (in their layout), of the head: chunk by chunk of rows, so that a large vocabulary's logits never outgrow one binding.
 *
 * The gradient is that of the mean cross-entropy of the next tokens or, with a teacher, of w·τ²·divergence +
 * (1 − w)·cross-entropy (shaders/distillation.wgsl); the losses are the cross-entropy's in either case.
 *
 * @throws when the teacher has another vocabulary.
 */
export function recordLoss(
  recorder: Recorder,
  { config, layout, parameters }: ModelView,
  at: { normed: Slice; targets: Slice; losses: Slice; logits: Slice; ranks?: Slice },
  shape: BatchShape,
  gradient?: { normed: Slice; parameters: Slice | null; productScratch: Slice },
  teacher?: Teacher,
): void {
  const rows = shape.batch * shape.context;
  const chunk = logitsRows(config, shape);
  const { hiddenSize: hidden, vocabSize: vocabulary } = config;
  const head = regionSlice(parameters, layout.head);
  if (teacher && teacher.model.config.vocabSize !== vocabulary) {
    throw new Error(
      `A teacher of ${teacher.model.config.vocabSize} tokens cannot teach a model of ${vocabulary}: both need the same vocabulary.`,
    );
  }
  // A window of T tokens has T − 1 next tokens to predict.
  const predictions = shape.batch * (shape.context - 1);

  for (let first = 0; first < rows; first += chunk) {
    const count = Math.min(chunk, rows - first);
    const part = (slice: Slice, width: number) => sliceElements(slice, first * width, count * width);
    const normed = part(at.normed, hidden);
    const logits = sliceElements(at.logits, 0, count * vocabulary);
    matmul(recorder, {
      layout: 'nt',
      a: normed,
      b: head,
      c: logits,
      m: count,
      n: vocabulary,
      k: hidden,
      label: 'logits',
    });
    if (at.ranks) {
      targetRank(recorder, {
        logits,
        targets: part(at.targets, 1),
        ranks: part(at.ranks, 1),
        rows: count,
        vocabulary,
        label: 'target rank',
      });
    }
    const objective = {
      logits,
      targets: part(at.targets, 1),
      losses: part(at.losses, 1),
      rows: count,
      vocabulary,
      ...(gradient && { gradientScale: 1 / predictions }),
    };
    if (teacher) {
      const width = teacher.model.config.hiddenSize;
      const teacherLogits = sliceElements(teacher.logits, 0, count * vocabulary);
      matmul(recorder, {
        layout: 'nt',
        a: part(teacher.normed, width),
        b: regionSlice(teacher.model.parameters, teacher.model.layout.head),
        c: teacherLogits,
        m: count,
        n: vocabulary,
        k: width,
        label: 'teacher logits',
      });
      distillation(recorder, {
        ...objective,
        teacherLogits,
        divergences: part(teacher.divergences, 1),
        step: teacher.step,
        label: 'distillation',
      });
    } else {
      crossEntropy(recorder, { ...objective, label: 'cross-entropy' });
    }
    if (!gradient) continue;
    matmul(recorder, {
      layout: 'nn',
      a: logits,
      b: head,
      c: part(gradient.normed, hidden),
      m: count,
      n: hidden,
      k: vocabulary,
      scratch: gradient.productScratch,
      label: 'head input gradient',
    });
    if (!gradient.parameters) continue;
    matmul(recorder, {
      layout: 'tn',
      a: logits,
      b: normed,
      c: regionSlice(gradient.parameters, layout.head),
      m: vocabulary,
      n: hidden,
      k: count,
      accumulate: first > 0,
      scratch: gradient.productScratch,
      label: 'head gradient',
    });
  }
}
