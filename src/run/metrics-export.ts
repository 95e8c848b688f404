import { GATE_SETS } from '../llama/gates';
import type { TargetShape } from '../llama/config';
import { adapterName } from './adapter-name';
import { csvText, type Cell } from '../formats/csv';
import type { EvaluationEvent, RunEvent, StartedEvent, StepEvent } from './events';
import { eventLine, runLogHeader, type RunLogHeader } from './run-log';

export { parseRunLog } from './run-log';

interface Column {
  name: string;
  of(event: StepEvent | EvaluationEvent): Cell;
}

const step = (event: RunEvent): StepEvent | null => (event.type === 'step' ? event : null);
const evaluation = (event: RunEvent): EvaluationEvent | null => (event.type === 'evaluation' ? event : null);

const SHAPE_FIELDS = [
  'numHiddenLayers',
  'hiddenSize',
  'numAttentionHeads',
  'intermediateSize',
] as const satisfies readonly (keyof TargetShape)[];

function columnsOf(domains: readonly string[], header: readonly (readonly [string, Cell])[]): Column[] {
  return [
    { name: 'event', of: (event) => event.type },
    { name: 'stage', of: (event) => event.stage },
    { name: 'step', of: (event) => event.step },
    { name: 'tokens', of: (event) => event.tokens },
    { name: 'elapsed_ms', of: (event) => event.elapsedMs },
    { name: 'training_loss', of: (event) => step(event)?.loss },
    ...domains.map((domain, d) => ({
      name: `training_loss.${domain}`,
      of: (event: RunEvent) => step(event)?.domainLoss[d],
    })),
    ...domains.map((domain, d) => ({
      name: `validation_loss.${domain}`,
      of: (event: RunEvent) => evaluation(event)?.loss[d],
    })),
    ...domains.map((domain, d) => ({
      name: `mixture.${domain}`,
      of: (event: RunEvent) => evaluation(event)?.mixture[d],
    })),
    { name: 'gradient_norm', of: (event) => step(event)?.gradientNorm },
    { name: 'learning_rate', of: (event) => step(event)?.learningRate },
    { name: 'divergence', of: (event) => step(event)?.divergence },
    { name: 'lagrangian', of: (event) => step(event)?.lagrangian },
    ...GATE_SETS.flatMap((set) => [
      { name: `expected_sparsity.${set}`, of: (event: RunEvent) => step(event)?.sparsity?.[set]?.expected },
      { name: `target_sparsity.${set}`, of: (event: RunEvent) => step(event)?.sparsity?.[set]?.target },
      { name: `lambda1.${set}`, of: (event: RunEvent) => step(event)?.sparsity?.[set]?.lambda1 },
      { name: `lambda2.${set}`, of: (event: RunEvent) => step(event)?.sparsity?.[set]?.lambda2 },
    ]),
    ...SHAPE_FIELDS.map((field) => ({
      name: `shape.${field}`,
      of: (event: RunEvent) => evaluation(event)?.shape?.[field],
    })),
    ...header.map(([name, cell]) => ({ name: `run.${name}`, of: () => cell })),
  ];
}

/** The columns of a run's CSV. */
function csvColumns(started: StartedEvent, corpus?: string): Column[] {
  const { version, model, corpus: text, seed, adapter } = runLogHeader([started], corpus);
  return columnsOf(started.domains, [
    ['version', version],
    ['model', model],
    ['corpus', text],
    ['seed', seed],
    ['adapter', adapterName(adapter)],
    ['software_adapter', adapter.software],
  ]);
}

/**
 * A run's log as text, piece by piece: a long one fits no string. JSON is what `parseRunLog` reads back, an event a
 * line. CSV has a row for each step and each evaluation, columns by domain and gate set, and in the last columns
 * where the numbers come from, so that rows of several runs can be put under each other.
 *
 * @param corpus what the header calls the text that was trained on
 * @throws InputError when the first event is not `started`
 */
export async function* logText(
  events: Iterable<RunEvent> | AsyncIterable<RunEvent>,
  format: 'csv' | 'json',
  corpus?: string,
): AsyncGenerator<string> {
  let columns: Column[] | null = null;
  let separator = '\n';
  for await (const event of events) {
    if (!columns) {
      const header = runLogHeader([event], corpus);
      columns = csvColumns(event as StartedEvent, corpus);
      yield format === 'csv' ? csvText([columns.map(({ name }) => name)]) : jsonOpening(header);
    }
    if (format === 'json') yield `${separator}    ${eventLine(event, 'inside')}`;
    else if (event.type === 'step' || event.type === 'evaluation') {
      yield csvText([columns.map((column) => column.of(event))]);
    }
    separator = ',\n';
  }
  if (!columns) runLogHeader([]);
  if (format === 'json') yield JSON_END;
}

const jsonOpening = (header: RunLogHeader) =>
  `${JSON.stringify({ format: 'shear-lab run', formatVersion: 2, header }, null, 2).slice(0, -2)},\n  "events": [`;
const JSON_END = '\n  ]\n}\n';
