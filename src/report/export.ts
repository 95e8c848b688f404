import { adapterName, describeAdapter } from '../run/adapter-name';
import { csvText, type Cell } from '../formats/csv';
import type { ArmReport, EvaluationReport } from './report';
import { reportTable } from './table';

/** The report as JSON. */
export function reportJson(report: EvaluationReport): string {
  return `${JSON.stringify(report, null, 1)}\n`;
}

type Measure = [name: string, of: string, value: number, low?: number, high?: number];

function measuresOf(arm: ArmReport, { domains, tasks, overScratch }: EvaluationReport): Measure[] {
  const { parameters, spent, memory, speed } = arm;
  const paired = arm.arm === 'retrained' ? overScratch : null;
  return [
    ['parameters', '', parameters.all],
    ['block_parameters', '', parameters.blocks],
    ['forward_flops_per_token', '', arm.flopsPerToken],
    ...(spent
      ? ([
          ['training_tokens', '', spent.tokens],
          ['training_flops', '', spent.training],
          ['evaluation_flops', '', spent.evaluation],
        ] satisfies Measure[])
      : []),
    ['weight_bytes', '', memory.weights],
    ['running_bytes', '', memory.running],
    ['milliseconds_per_window', '', speed.milliseconds],
    ['tokens_per_second', '', speed.tokensPerSecond],
    ...domains.map(({ name }, d): Measure => ['test_loss', name, arm.loss[d]!]),
    ...tasks.flatMap(({ name, metric }, t): Measure[] => {
      const { accuracy, perplexity } = arm.tasks[t]!;
      const measured: Measure[] = [[metric, name, accuracy.value, accuracy.low, accuracy.high]];
      if (perplexity) {
        measured.push(['word_perplexity', name, perplexity.value, perplexity.low, perplexity.high]);
      }
      const over = paired?.[t];
      if (over) measured.push([`${metric}_over_scratch`, name, over.value, over.low, over.high]);
      return measured;
    }),
  ];
}

/**
 * The report as CSV, a number a row: which model, which measure, of which domain or task, with its 95 % interval
 * where it has one. The last columns say where the numbers come from, so that several reports can be put under
 * each other.
 */
export function reportCsv(report: EvaluationReport): string {
  const header = ['arm', 'model', 'measure', 'of', 'value', 'low', 'high'];
  const origin: [string, Cell][] = [
    ['version', report.version],
    ['source', report.source],
    ['source_sha256', report.sourceSha256],
    ['seed', report.experiment.seed],
    ['context', report.experiment.contextLength],
    ['adapter', adapterName(report.adapter)],
    ['software_adapter', report.adapter.software],
  ];
  const rows = report.arms.flatMap((arm) =>
    measuresOf(arm, report).map(([measure, of, value, low, high]): Cell[] => [
      arm.arm,
      arm.model,
      measure,
      of,
      value,
      low,
      high,
      ...origin.map(([, cell]) => cell),
    ]),
  );
  return csvText([[...header, ...origin.map(([name]) => `run.${name}`)], ...rows]);
}

/** A cell of a Markdown table; titles come from files of the site, so nothing in them may end the cell. */
const cell = (text: string) => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;

/** The report as a Markdown table with its notes, without a heading. */
export function reportMarkdown(report: EvaluationReport): string {
  const { columns, sections, notes } = reportTable(report);
  const header = ['', ...columns.map(({ title, model }) => (model ? `${title} (${model})` : title))];
  const rows = sections.flatMap(({ title, rows }) => [
    line([`**${title}**`, ...columns.map(() => '')]),
    ...rows.map((row) => line([row.title, ...row.cells])),
  ]);
  const weights = report.sourceSha256 ? ` (weights ${report.sourceSha256.slice(0, 12)})` : '';
  const origin = `shear-lab ${report.version}, source model ${report.source}${weights}, seed ${report.experiment.seed}, computed on ${describeAdapter(report.adapter)}.`;
  return [
    line(header),
    line(['---', ...columns.map(() => '---:')]),
    ...rows,
    '',
    ...[...notes, origin].map((note) => `- ${cell(note)}`),
    '',
  ].join('\n');
}
