import { describe, expect, it } from 'vitest';
import { smallConfig } from '../formats/testing';
import { shapeOf } from '../llama/config';
import type { RunEvent, StartedEvent } from './events';
import { logText, parseRunLog } from './metrics-export';
import { eventLine } from './run-log';
import { defaultExperiment } from '../experiment/schema';

const textOf = async (of: RunEvent[], format: 'csv' | 'json', corpus?: string) => {
  let text = '';
  for await (const piece of logText(of, format, corpus)) text += piece;
  return text;
};

const config = smallConfig();
const started: StartedEvent = {
  type: 'started',
  experiment: defaultExperiment(),
  source: { name: 'nano', config, parameters: 1234 },
  domains: ['=cmd|calc', 'a "quoted", name'],
  adapter: {
    vendor: 'google',
    architecture: 'swiftshader',
    description: 'SwiftShader, "CPU"',
    software: true,
  },
  version: '0.1.0',
  referenceLoss: [3, 4],
  mixture: [0.5, 0.5],
};
const rows = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const events: RunEvent[] = [
  started,
  {
    type: 'step',
    stage: 'prune',
    step: 1,
    tokens: 1024,
    elapsedMs: 12,
    loss: 3.25,
    domainLoss: [3.25, null],
    gradientNorm: 0.75,
    learningRate: 0.001,
    lagrangian: -0.5,
    sparsity: { hidden: { expected: 0.25, target: 0.5, lambda1: -2, lambda2: 200 } },
  },
  {
    type: 'evaluation',
    stage: 'prune',
    step: 20,
    tokens: 20480,
    elapsedMs: 250,
    loss: [3, 3.25],
    mixture: [0.25, 0.75],
    shape: { ...shapeOf(config), intermediateSize: 9.5 },
  },
  {
    type: 'gates',
    step: 20,
    values: Uint8Array.from([...rows(12, 255), ...rows(4, 128), ...rows(20, 0), 255, 0]),
  },
  {
    type: 'surgery',
    step: 300,
    elapsedMs: 5000,
    config,
    parameters: 1000,
    kept: { hidden: [0, 2], layers: [1], heads: [[], [0]], intermediate: [[], [1, 2]] },
    maskedVersusPruned: 1e-6,
    loss: { masked: [3, 3], pruned: [3, 3] },
  },
  {
    type: 'finished',
    step: 600,
    tokens: 614400,
    elapsedMs: 10000,
    summary: {
      target: shapeOf(config),
      achieved: shapeOf(config),
      parameters: { source: 1234, pruned: 1000 },
      domains: started.domains,
      loss: { source: [3, 4], masked: [3, 3], pruned: [3, 3], retrained: null },
      maskedVersusPruned: 1e-6,
      mixture: [0.25, 0.75],
      tokens: 614400,
    },
  },
];

/** A reader of RFC 4180 written from its grammar, independent of the writer. */
function readCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (let at = 0; at < text.length;) {
    const field = /"((?:[^"]|"")*)"|[^",\r\n]*/y;
    field.lastIndex = at;
    const match = field.exec(text)!;
    record.push(match[1] === undefined ? match[0] : match[1].replaceAll('""', '"'));
    at = field.lastIndex;
    if (text[at] === ',') at++;
    else if (text.startsWith('\r\n', at)) {
      records.push(record);
      record = [];
      at += 2;
    } else throw new Error(`No field may end at ${at}.`);
  }
  return records;
}

const table = await textOf(events, 'csv', 'corpus of a test');

describe('a log as CSV', () => {
  const [names, ...records] = readCsv(table);
  const cell = (record: number, name: string) => records[record]![names!.indexOf(name)];

  it('has a row for each step and evaluation, as wide as its head', () => {
    expect(records).toHaveLength(2);
    for (const record of records) expect(record).toHaveLength(names!.length);
    expect(new Set(names).size).toBe(names!.length);
  });

  it('holds every number in its column, and nothing where there is none', () => {
    expect(cell(0, 'step')).toBe('1');
    expect(cell(0, 'training_loss')).toBe('3.25');
    expect(cell(0, 'training_loss.=cmd|calc')).toBe('3.25');
    expect(cell(0, 'training_loss.a "quoted", name')).toBe('');
    expect(cell(0, 'lambda1.hidden')).toBe('-2');
    expect(cell(0, 'lambda1.head')).toBe('');
    expect(cell(1, 'validation_loss.a "quoted", name')).toBe('3.25');
    expect(cell(1, 'mixture.a "quoted", name')).toBe('0.75');
    expect(cell(1, 'shape.intermediateSize')).toBe('9.5');
  });

  it('says in each row where the numbers come from', () => {
    for (const record of [0, 1]) {
      expect(cell(record, 'run.adapter')).toBe('google swiftshader SwiftShader, "CPU"');
      expect(cell(record, 'run.software_adapter')).toBe('true');
      expect(cell(record, 'run.corpus')).toBe('corpus of a test');
      expect(cell(record, 'run.seed')).toBe('17');
    }
  });

  it('keeps a spreadsheet from taking a text for a formula', async () => {
    const text = {
      ...started,
      source: { ...started.source, name: '=HYPERLINK("x")' },
      version: '@v',
      domains: ['\t1', '-2'],
    };
    const [, row] = readCsv(await textOf([text, events[1]!], 'csv', '+1'));
    expect(row!.slice(-6, -3)).toEqual(["'@v", `'=HYPERLINK("x")`, "'+1"]);
    // Names of columns start with a word of ours.
    expect((await textOf([text], 'csv')).split(',').every((name) => /^"?[a-z]/.test(name))).toBe(true);
  });

  it('refuses a run that has not started', async () => {
    await expect(textOf([], 'csv')).rejects.toThrow('run log: the run has no event yet');
    await expect(textOf([], 'json')).rejects.toThrow('run log: the run has no event yet');
  });
});

const json = await textOf(events, 'json');

describe('a line of the log', () => {
  it('of a step with seven domains and four sets takes under 400 bytes: 100,000 steps stay under 40 MB', () => {
    const set = { expected: 0.123456789, target: 0.234567891, lambda1: -12.3456789, lambda2: 203.456789 };
    const line = eventLine(
      {
        type: 'step',
        stage: 'prune',
        step: 100_000,
        tokens: 204_800_000,
        elapsedMs: 1234567.89,
        loss: 3.456789123,
        domainLoss: Array.from({ length: 7 }, (_, i) => 3.1234567 + i / 7),
        gradientNorm: 0.987654321,
        learningRate: 0.00123456789,
        lagrangian: -0.0123456789,
        sparsity: { hidden: set, head: set, intermediate: set, layer: set },
      },
      'inside',
    );
    expect(line.length).toBeLessThan(400);
  });
});

describe('run log', () => {
  it('reads back what it wrote', () => {
    const log = parseRunLog(JSON.parse(json));
    expect(log.events).toEqual(events);
    expect(log.header).toEqual({
      version: '0.1.0',
      model: 'nano',
      corpus: 'domains =cmd|calc, a "quoted", name',
      seed: 17,
      adapter: started.adapter,
    });
  });

  it('reads a log from before MLP biases were computed as one of a model without them', () => {
    const log = JSON.parse(json) as { events: { source: { config: object } }[] };
    const { source } = log.events[0]!;
    source.config = { ...source.config, mlpBias: undefined };
    expect(parseRunLog(JSON.parse(JSON.stringify(log))).events[0]).toEqual(started);
  });

  const changed = (at: number, change: object) => {
    const log = JSON.parse(json) as { events: object[] };
    log.events[at] = { ...log.events[at], ...change };
    return () => parseRunLog(log);
  };
  it.each<[string, () => unknown, string]>([
    [
      'another format',
      () => parseRunLog({ format: 'x' }),
      'run log: format must be "shear-lab run", not "x"',
    ],
    [
      'a missing start',
      () => parseRunLog({ ...JSON.parse(json), events: [events[1]] }),
      'events[0] must be the event "started"',
    ],
    ['two runs', changed(1, started), 'events[1]'],
    ['a bad experiment', changed(0, { experiment: { seed: -1 } }), 'Seed (seed) must be a whole number'],
    [
      'an unknown event',
      changed(1, { type: 'x' }),
      'run log: events[1].type must be an event of a known type',
    ],
    [
      'a text as number',
      changed(1, { loss: '3' }),
      'run log: events[1].loss must be a finite number, but it is "3"',
    ],
    [
      'too few losses',
      changed(2, { loss: [1] }),
      'run log: events[2].loss must have 2 entries, but it has 1',
    ],
    ['gates of another model', changed(3, { values: 'AAEC' }), 'events[3].values must have 38 entries'],
    [
      'a weight of 1e308',
      changed(2, { mixture: [1e308, 0] }),
      'events[2].mixture[0] must be a number from 0 to 1',
    ],
  ])('refuses %s in one sentence', (_, parse, message) => {
    expect(parse).toThrow(message);
  });
});
