import { z } from 'zod';
import { checked } from '../formats/refusal';
import { limitsText, markdownTable, profileTable } from './table';
import type { MeasuredLimits } from './limits';
import type { StepMeasurement } from './step';
import type { SweepResult } from './sweep';

/** kit.json as scripts/gpu-kit/run.mjs writes it: what each section gave, or why it gave nothing. */
const kitSchema = z.looseObject({
  version: z.literal(1),
  date: z.string(),
  commit: z.string(),
  node: z.string(),
  /** What nvidia-smi calls it: WebGPU does not always say. */
  gpu: z.string().nullish(),
  adapter: z
    .looseObject({
      vendor: z.string(),
      architecture: z.string(),
      description: z.string(),
      software: z.boolean(),
    })
    .nullable(),
  sections: z.record(
    z.string(),
    z.looseObject({ seconds: z.number(), error: z.string().optional(), result: z.unknown().optional() }),
  ),
});

export type Kit = z.infer<typeof kitSchema>;

/** @throws InputError in one sentence that names the field. */
export function parseKit(json: unknown, file: string): Kit {
  return checked(kitSchema, json, file);
}

interface BenchResult extends StepMeasurement {
  model: string;
  limits: MeasuredLimits | null;
}

interface PytorchTimes {
  milliseconds: number;
  pipelined_milliseconds: number;
}

interface PytorchResult {
  torch: string;
  device: string;
  eager?: PytorchTimes;
  compiled?: PytorchTimes;
  product_2048?: PytorchTimes & { gflops: number };
}

interface TestsResult {
  passed: number;
  failed: number;
  files: { file: string; status: string; message?: string; failed: { name: string; message: string }[] }[];
}

/** The whole kit in Markdown. */
export function kitMarkdown(kit: Kit): string {
  const { adapter, date, commit, node, sections } = kit;
  const result = <T>(name: string) => sections[name]?.result as T | undefined;
  const limits = result<{ measured: MeasuredLimits }>('limits')?.measured ?? null;
  const benches = Object.keys(sections).filter((name) => name.startsWith('bench '));
  const name = adapter
    ? [adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(' ')
    : 'no adapter';
  const parts = [
    `# ${kit.gpu ?? name}`,
    ...(kit.gpu ? [name] : []),
    `${date.slice(0, 10)}, commit ${commit.slice(0, 12)}, Node ${node}.`,
    ...(adapter?.software ? ['**A software adapter: its times say nothing about a GPU.**'] : []),
    ...(limits ? [`${limitsText(limits)}.`] : []),
    sectionTable(sections),
    ...stepTable(sections, benches),
    ...sweepTables(result<{ results: SweepResult[]; complete: boolean }>('sweep')),
    ...benches.flatMap((section) => {
      const bench = result<BenchResult>(section);
      const measured = limits ?? bench?.limits;
      if (!bench?.profile || !measured) return [];
      return [`## ${section}`, profileTable(bench.profile, measured, bench.millisecondsPerStep)];
    }),
    ...testParts(result<TestsResult>('tests')),
  ];
  return `${parts.join('\n\n')}\n`;
}

function sectionTable(sections: Kit['sections']): string {
  return markdownTable(
    ['section', 'seconds', 'outcome'],
    Object.entries(sections).map(([name, { seconds, error }]) => [
      name,
      seconds.toFixed(1),
      error ? `failed: ${error.split('\n').at(-1)!.replaceAll('|', '¦')}` : 'done',
    ]),
  );
}

function stepTable(sections: Kit['sections'], benches: readonly string[]): string[] {
  const results = benches.map((section) => sections[section]?.result as BenchResult | undefined);
  const fastest = Math.min(...results.flatMap((bench) => bench?.clockProbe ?? []));
  const rows = results.flatMap((bench) => {
    if (!bench) return [];
    const { shape, intervals, perStep, profile } = bench;
    const torch =
      shape.batch === 16 ? (sections[`pytorch ${bench.model}`]?.result as PytorchResult) : undefined;
    const eager = torch?.eager?.pipelined_milliseconds;
    const compiled = (sections[`compiled ${bench.model}`]?.result as PytorchResult | undefined)?.compiled
      ?.pipelined_milliseconds;
    const milliseconds = (value: number | null | undefined) => (value == null ? '–' : value.toFixed(2));
    return [
      [
        `${bench.model} ${shape.batch}×${shape.context}`,
        milliseconds(bench.millisecondsPerStep),
        milliseconds(intervals.p10),
        milliseconds(intervals.p90),
        milliseconds(bench.cpuMillisecondsPerStep),
        milliseconds(profile?.passMilliseconds),
        milliseconds(profile?.exact ? profile.dispatchesMilliseconds : null),
        String(perStep.dispatches),
        (perStep.bytesMoved / 2 ** 20).toFixed(0),
        (perStep.flops / 1e9).toFixed(2),
        milliseconds(eager),
        eager ? (bench.millisecondsPerStep / eager).toFixed(2) : '–',
        milliseconds(compiled),
        (fastest / Math.max(...bench.clockProbe)).toFixed(2),
      ],
    ];
  });
  if (rows.length === 0) return [];
  const header = ['step', 'ms', 'p10', 'p90', 'processor', 'GPU pass', 'Σ kernels', 'dispatches', 'MiB'];
  return [
    '## Steps',
    markdownTable([...header, 'G op', 'PyTorch eager', 'ratio', 'compiled', 'clock'], rows),
  ];
}

function sweepTables(swept: { results: SweepResult[]; complete: boolean } | undefined): string[] {
  if (!swept) return [];
  const rows = swept.results.map((r) => {
    const time = r.nanoseconds[r.best]!;
    const own = r.nanoseconds[r.chosen];
    const others = Object.entries(r.nanoseconds)
      .sort((a, b) => a[1] - b[1])
      .slice(0, 5)
      .map(([name, value]) => `${name} ${(value / 1e3).toFixed(1)}`);
    return [
      r.operator,
      r.shape,
      r.usedBy[0]! + (r.usedBy.length > 1 ? ` +${r.usedBy.length - 1}` : ''),
      r.chosen,
      own === undefined ? '–' : (own / 1e3).toFixed(1),
      r.best,
      (time / 1e3).toFixed(1),
      r.chosenOverBest.toFixed(2),
      (r.flops / time).toFixed(0),
      (r.bytes / time).toFixed(0),
      r.clock.toFixed(2),
      others.join(', '),
    ];
  });
  const header = [
    'operator',
    'shape',
    'used by',
    'chosen',
    'µs',
    'best',
    'µs of best',
    'ratio',
    'GFLOP/s',
    'GB/s',
    'clock',
  ];
  return [
    `## Variants${swept.complete ? '' : ' (time was up before all were tried)'}`,
    markdownTable([...header, 'fastest, µs'], rows),
  ];
}

function testParts(tests: TestsResult | undefined): string[] {
  if (!tests) return [];
  const failures = tests.files.flatMap(({ file, message, failed }) => [
    ...(message ? [`- ${file}: ${message.split('\n')[0]}`] : []),
    ...failed.map((test) => `- ${file}: ${test.name}: ${test.message.split('\n')[0]}`),
  ]);
  return [
    '## Tests',
    `${tests.passed} passed, ${tests.failed} failed, in ${tests.files.length} files.`,
    ...(failures.length > 0 ? [failures.join('\n')] : []),
  ];
}
