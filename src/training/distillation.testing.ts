import { readFileSync } from 'node:fs';
import { parseLlamaConfig } from '../formats/hugging-face';
import { packParameters, parameterLayout } from '../llama/parameters';

type Nested = number | Nested[];
type Flat = Record<string, number[]>;
type BySet = Record<'hidden' | 'head' | 'intermediate' | 'layer', Nested>;

interface Settings {
  weight: number;
  temperature: number;
}

/** A measured objective: means in nats, gradients row-major by Hugging Face name. */
interface Measured extends Settings {
  loss: number;
  divergence: number;
  weight_gradients: Flat;
}

interface ModelJson {
  config: object;
  weights: Record<string, { data: number[] }>;
}

interface Distilled {
  student: ModelJson;
  teacher: ModelJson;
  tokens: number[][];
  plain: Measured[];
  gates: BySet;
  gated: Measured & { gate_gradients: BySet };
  joint: Measured & {
    seed: number;
    log_alpha_init: number;
    lambda2_init: number;
    target_sparsity: [number, number, number, number];
    lagrangian: number;
    log_alpha_gradients: BySet;
  };
  training: {
    learning_rate: number;
    tokens: number[][][];
    traces: (Settings & {
      weight_decay: number;
      steps: { loss: number; divergence: number; gradient_norm: number }[];
      final_weights: Flat;
    })[];
  };
}

const flat = (nested: Nested): number[] => (typeof nested === 'number' ? [nested] : nested.flatMap(flat));

/** Values by gate set in the order of the gate layout. */
export const flatGates = ({ hidden, head, intermediate, layer }: BySet): number[] =>
  [hidden, head, intermediate, layer].flatMap(flat);

function opened({ config: json, weights }: ModelJson) {
  const config = parseLlamaConfig({ model_type: 'llama', ...json });
  const layout = parameterLayout(config);
  const tensors = new Map(Object.entries(weights).map(([n, { data }]) => [n, Float32Array.from(data)]));
  return { config, layout, parameters: packParameters(layout, tensors) };
}

/** What scripts/reference/distillation.py wrote: float64 PyTorch, independent of the engine. */
export function readDistillation() {
  const json = JSON.parse(readFileSync('scripts/reference/distillation.json', 'utf8')) as Distilled;
  return { ...json, student: opened(json.student), teacher: opened(json.teacher) };
}
