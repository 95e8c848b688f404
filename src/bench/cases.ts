import type { KernelProfile } from '../gpu/device';
import type { Recorder } from '../gpu/program';
import { attentionBackward, attentionForward, lanesFit, type AttentionVariant } from '../kernels/attention';
import { crossEntropy } from '../kernels/cross-entropy';
import { chooseMatmul, matmul, wideProduct, type MatmulLayout, type MatmulVariant } from '../kernels/matmul';
import { rmsNormBackward, rmsNormForward } from '../kernels/rms-norm';
import type { LlamaConfig } from '../llama/config';
import { logitsRows, type BatchShape } from '../llama/workspace';
import type { Operands, SweepCase } from './sweep';

/** A model and a batch whose shapes are swept. */
export interface SweptModel {
  name: string;
  config: LlamaConfig;
  shape: BatchShape;
}

interface Product {
  layout: MatmulLayout;
  m: number;
  n: number;
  k: number;
}

/** A variant to add is a line here. */
const MATMUL_VARIANTS: Record<string, MatmulVariant> = {
  ...Object.fromEntries(
    ([32, 64] as const).flatMap((tile) =>
      [1, 2, 4, 8, 16].map((slices) => [`tile ${tile}${slices > 1 ? ` × ${slices}` : ''}`, { tile, slices }]),
    ),
  ),
  registers: 'registers',
};

/** The shortest slice of k that is tried. */
const MIN_SLICE = 32;

const nameOf = (variant: MatmulVariant) =>
  Object.entries(MATMUL_VARIANTS).find(
    ([, other]) => JSON.stringify(other) === JSON.stringify(variant),
  )?.[0] ?? JSON.stringify(variant);

/** Every product of a training step with the place where it occurs. */
export function productShapes({ config, shape }: SweptModel): (Product & { place: string })[] {
  const { hiddenSize: d, intermediateSize: I, numAttentionHeads: H, numKeyValueHeads: G, headDim } = config;
  const rows = shape.batch * shape.context;
  const linear = [
    { place: 'qkv', m: rows, n: (H + 2 * G) * headDim, k: d },
    { place: 'attention output', m: rows, n: d, k: H * headDim },
    { place: 'gate-up', m: rows, n: 2 * I, k: d },
    { place: 'down', m: rows, n: d, k: I },
    { place: 'head', m: logitsRows(config, shape), n: config.vocabSize, k: d },
  ];
  return linear.flatMap(({ place, m, n, k }) => [
    { place, layout: 'nt', m, n, k },
    { place: `${place} input gradient`, layout: 'nn', m, n: k, k: n },
    { place: `${place} gradient`, layout: 'tn', m: n, n: k, k: m },
  ]);
}

function productCase(
  { layout, m, n, k }: Product,
  usedBy: string[],
  operands: Operands,
  profile: KernelProfile,
): SweepCase {
  const wide = wideProduct(layout, { m, n, k });
  const possible = Object.entries(MATMUL_VARIANTS).filter(([, variant]) =>
    variant === 'registers' ? wide && k % 4 === 0 : variant.slices === 1 || k / variant.slices >= MIN_SLICE,
  );
  return {
    operator: 'matmul',
    shape: `${m}×${n}×${k} ${layout}`,
    usedBy,
    chosen: nameOf(chooseMatmul({ m, n, k }, wide, profile, layout !== 'nt')),
    candidates: possible.map(([name, variant]) => ({
      name,
      record: (recorder: Recorder) =>
        matmul(recorder, {
          layout,
          a: operands.get('a', m * k),
          b: operands.get('b', n * k),
          c: operands.get('c', m * n),
          ...(variant !== 'registers' &&
            variant.slices > 1 && { scratch: operands.get('scratch', variant.slices * m * n) }),
          m,
          n,
          k,
          variant,
          label: 'product',
        }),
    })),
  };
}

const ATTENTION_VARIANTS: Record<string, AttentionVariant> = {
  walk: 'walk',
  ...Object.fromEntries(
    [
      [4, 32],
      [4, 64],
      [8, 16],
      [8, 32],
      [16, 16],
    ].flatMap(([lanes, rows]) =>
      [1, 2, 4].map((atOnce) => [
        `${lanes} lanes × ${rows}, ${atOnce} at once`,
        { lanes: lanes!, rows: rows!, atOnce },
      ]),
    ),
  ),
};

/** The variants of the two profiles. */
const profiles = (record: (recorder: Recorder) => void) =>
  (['gpu', 'software'] as const).map((profile) => ({
    name: profile,
    record: (recorder: Recorder) => record({ ...recorder, profile }),
  }));

function attentionCases({ name, config, shape }: SweptModel, operands: Operands, profile: KernelProfile) {
  const { numAttentionHeads: heads, numKeyValueHeads: keyValueHeads, headDim } = config;
  const { batch, context: contextLength } = shape;
  const rows = batch * contextLength;
  const sizes = { batch, contextLength, heads, keyValueHeads, headDim, headGate: 0 };
  const fits = ([, variant]: [string, AttentionVariant]) => variant === 'walk' || lanesFit(headDim, variant);
  const variants = Object.entries(ATTENTION_VARIANTS).filter(fits);
  const forward = () => ({
    ...sizes,
    qkv: operands.get('a', rows * (heads + 2 * keyValueHeads) * headDim),
    gates: operands.get('gates', keyValueHeads),
    context: operands.get('c', rows * heads * headDim),
    lse: operands.get('lse', rows * heads),
  });
  const text = `${batch}×${contextLength}, ${heads}/${keyValueHeads} heads of ${headDim}`;
  const common = { shape: text, usedBy: [name], chosen: profile };
  const backward = (recorder: Recorder, variant?: AttentionVariant) => {
    attentionBackward(recorder, {
      ...forward(),
      ...(variant && { variant }),
      table: operands.get('table', contextLength * headDim),
      dContext: operands.get('b', rows * heads * headDim),
      dqkv: operands.get('d', rows * (heads + 2 * keyValueHeads) * headDim),
      delta: operands.get('delta', rows * heads),
      label: 'backward',
    });
  };
  return [
    {
      ...common,
      operator: 'attention forward',
      candidates: [
        ...profiles((recorder) => attentionForward(recorder, { ...forward(), label: 'forward' })),
        ...variants.map(([name, variant]) => ({
          name,
          record: (recorder: Recorder) =>
            attentionForward(recorder, { ...forward(), variant, label: 'forward' }),
        })),
      ],
    },
    {
      ...common,
      operator: 'attention backward',
      candidates: [
        ...profiles(backward),
        ...variants.map(([name, variant]) => ({
          name,
          record: (recorder: Recorder) => backward(recorder, variant),
        })),
      ],
    },
  ];
}

function rowCases(
  { name, config, shape }: SweptModel,
  operands: Operands,
  profile: KernelProfile,
): SweepCase[] {
  const { hiddenSize: hidden, vocabSize: vocabulary } = config;
  const rows = shape.batch * shape.context;
  const blocks = Math.max(32, Math.min(256, Math.ceil(rows / 8)));
  const norm = () => ({
    x: operands.get('a', rows * hidden),
    weights: operands.get('norms', hidden),
    weightOffset: 0,
    gates: operands.get('gates', hidden + 1),
    rows,
    hidden,
    epsilon: 1e-5,
    label: 'norm',
  });
  const width = { shape: `${rows}×${hidden}`, usedBy: [name], chosen: profile };
  return [
    {
      ...width,
      operator: 'rms_norm forward',
      candidates: profiles((recorder) =>
        rmsNormForward(recorder, {
          ...norm(),
          branch: { output: operands.get('b', rows * hidden), layerGate: hidden },
          residual: operands.get('d', rows * hidden),
          y: operands.get('c', rows * hidden),
        }),
      ),
    },
    {
      ...width,
      operator: 'rms_norm backward',
      candidates: profiles((recorder) =>
        rmsNormBackward(recorder, {
          ...norm(),
          dY: operands.get('b', rows * hidden),
          // Not added to: repeats would make it grow.
          dX: operands.get('c', rows * hidden),
          addToResidual: false,
          branch: {
            output: operands.get('d', rows * hidden),
            layerGate: hidden,
            dOutput: operands.get('e', rows * hidden),
          },
          partials: { slice: operands.get('partials', blocks * 3 * hidden), blocks, columns: 3 * hidden },
          weightColumn: 0,
          hiddenGateColumn: hidden,
          branchColumn: 2 * hidden,
        }),
      ),
    },
    {
      operator: 'cross-entropy',
      shape: `${rows}×${vocabulary}`,
      usedBy: [name],
      chosen: profile,
      candidates: profiles((recorder) =>
        crossEntropy(recorder, {
          logits: operands.get('c', rows * vocabulary),
          // Floats read as tokens lie outside the vocabulary, which costs a row nothing.
          targets: operands.get('b', rows),
          losses: operands.get('lse', rows),
          rows,
          vocabulary,
          gradientScale: 1 / rows,
          label: 'cross-entropy',
        }),
      ),
    },
  ];
}

/** Every shape of these models once, with all that use it, and the square product that GPUs are compared by. */
export function sweepCases(
  models: readonly SweptModel[],
  { square, profile }: { square: number | null; profile: KernelProfile },
  operands: Operands,
): SweepCase[] {
  const products = new Map<string, Product & { usedBy: string[] }>();
  const add = (product: Product, place: string) => {
    const key = `${product.layout} ${product.m} ${product.n} ${product.k}`;
    const held = products.get(key);
    if (held) held.usedBy.push(place);
    else products.set(key, { ...product, usedBy: [place] });
  };
  if (square !== null) {
    for (const layout of ['nt', 'nn', 'tn'] as const)
      add({ layout, m: square, n: square, k: square }, 'square');
  }
  for (const model of models) {
    for (const { place, ...product } of productShapes(model)) add(product, `${model.name} ${place}`);
  }
  return [
    ...[...products.values()].map((product) => productCase(product, product.usedBy, operands, profile)),
    ...models.flatMap((model) => attentionCases(model, operands, profile)),
    ...models.flatMap((model) => rowCases(model, operands, profile)),
  ];
}
