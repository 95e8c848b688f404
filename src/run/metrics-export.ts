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

const csvHead = (columns: readonly Column[]): Cell[] => columns.map(({ name }) => name);

/** The row of a step or an evaluation; other events have none. */
function csvRow(columns: readonly Column[], event: RunEvent): Cell[] | null {
  if (event.type !== 'step' && event.type !== 'evaluation') return null;
  return columns.map((column) => column.of(event));
}

/**
 * A run's metrics as CSV: a row for each step and each evaluation, columns
 * by domain and gate set, and in the last columns where the numbers come from, so that rows of several runs
 * can be put under each other.
 *
 * @throws InputError when the run has not started.
 */
export function metricsCsv(events: readonly RunEvent[], corpus?: string): string {
  runLogHeader(events, corpus);
  const columns = csvColumns(events[0] as StartedEvent, corpus);
  const rows = events.flatMap((event) => {
    const row = csvRow(columns, event);
    return row ? [row] : [];
  });
  return csvText([csvHead(columns), ...rows]);
}

/**
 * A log as CSV or as JSON from events that come one after the other, piece by piece: a long one fits no string.
 *
 * @throws InputError when the first event is not `started`
 */
export async function* logText(
  events: AsyncGenerator<RunEvent>,
  format: 'csv' | 'json',
): AsyncGenerator<string> {
  const { value } = (await events.next()) as IteratorResult<RunEvent, undefined>;
  const header = runLogHeader(value ? [value] : []);
  const all = async function* () {
    yield value!;
    yield* events;
  };
  if (format === 'json') {
    yield* metricsJson(all(), header);
    return;
  }
  const columns = csvColumns(value as StartedEvent);
  yield csvText([csvHead(columns)]);
  for await (const event of all()) {
    const row = csvRow(columns, event);
    if (row) yield csvText([row]);
  }
}

/** An event a line: readable, and small when compressed. */
const jsonOpening = (header: RunLogHeader) =>
  `${JSON.stringify({ format: 'shear-lab run', formatVersion: 2, header }, null, 2).slice(0, -2)},\n  "events": [`;
const JSON_END = '\n  ]\n}\n';

/**
 * A run's whole log as JSON that `parseRunLog` reads back, piece by piece: a long one is larger than a string may be.
 *
 * @throws InputError when the run has not started.
 */
export async function* metricsJson(
  events: Iterable<RunEvent> | AsyncIterable<RunEvent>,
  header: RunLogHeader,
): AsyncGenerator<string> {
  yield jsonOpening(header);
  let separator = '\n';
  for await (const event of events) {
    yield `${separator}    ${eventLine(event, 'inside')}`;
    separator = ',\n';
  }
  yield JSON_END;
}
