import { describe, expect, it } from 'vitest';
import { exampleReport } from './example';
import { reportCsv, reportJson, reportMarkdown } from './export';
import { reportTable } from './table';

const rowOf = (title: string) =>
  reportTable(exampleReport)
    .sections.flatMap(({ rows }) => rows)
    .find((row) => row.title === title)?.cells;

describe('a report as a table', () => {
  it('has a column a model, in the report’s order', () => {
    expect(reportTable(exampleReport).columns).toEqual([
      { title: 'Source', model: 'nano' },
      { title: 'Retrained', model: '' },
      { title: 'From scratch', model: '' },
    ]);
    for (const { rows } of reportTable(exampleReport).sections) {
      for (const { title, cells } of rows) expect(cells, title).toHaveLength(3);
    }
  });

  it('shows perplexities, and their mean as that of the mean loss', () => {
    expect(rowOf('Books')).toEqual(['20.00', '40.00', '80.00']);
    // √(20·30) = 24.49: the mean is over nats.
    expect(rowOf('Mean of domains')).toEqual(['24.49', '48.99', '97.98']);
  });

  it('shows accuracies in % with their intervals and chance, and words’ perplexities', () => {
    expect(rowOf('Minimal pairs, 400 items (chance 50.0)')?.[0]).toBe('50.0 (48.0–52.0)');
    expect(rowOf('Mean of tasks')).toEqual(['37.5', '18.8', '9.4']);
    expect(rowOf('Last word, perplexity')?.[1]).toBe('200.0 (200.0–200.0)');
    expect(rowOf('Minimal pairs, perplexity')).toBeUndefined();
  });

  it('leaves open what is not known', () => {
    expect(rowOf('Training tokens')).toEqual(['24,227,840', '2,457,600', '–']);
    expect(rowOf('FLOPs of evaluations on the way')?.[0]).toBe('–');
  });

  it('says what a reader has to know, and no more', () => {
    const all = reportTable(exampleReport).notes.join('\n');
    expect(all).toContain('a software adapter’s');
    expect(all).toContain('600 steps of 16 windows, learning rate 0.008 with a warm-up over 10.0 %');
    expect(all).toContain('the source model itself');
    expect(all).toContain('ahead in 1 of 2 tasks and behind in 0');
    const bare = {
      ...exampleReport,
      adapter: { ...exampleReport.adapter, software: false },
      closestMember: null,
      scratch: null,
      overScratch: null,
      tasks: [],
      arms: exampleReport.arms.slice(0, 1),
    };
    expect(reportTable(bare).notes).toHaveLength(2);
    expect(reportTable(bare).sections.map(({ title }) => title)).not.toContain('Tasks, accuracy in %');
  });
});

describe('a report as a file', () => {
  it('is a Markdown table in which no title breaks a cell', () => {
    const lines = reportMarkdown(exampleReport).split('\n');
    const table = lines.slice(0, lines.indexOf(''));
    // Four columns have five bars; an escaped one is no bar.
    for (const line of table) expect(line.replaceAll('\\|', '').split('|'), line).toHaveLength(6);
    expect(table[0]).toBe('|  | Source (nano) | Retrained | From scratch |');
    expect(table.some((line) => line.startsWith('| Code \\| snippets |'))).toBe(true);
    expect(lines.join('\n')).toContain('computed on a software adapter (llvmpipe).');
  });

  it('is CSV with a number a row and where it comes from', () => {
    const rows = reportCsv(exampleReport)
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(','));
    const header = rows[0]!;
    expect(header.slice(0, 7)).toEqual(['arm', 'model', 'measure', 'of', 'value', 'low', 'high']);
    for (const row of rows) expect(row).toHaveLength(header.length);
    const find = (arm: string, measure: string, of = '') =>
      rows.find((row) => row[0] === arm && row[2] === measure && row[3] === of);
    expect(Number(find('retrained', 'test_loss', 'code')?.[4])).toBe(Math.log(60));
    expect(find('retrained', 'acc', 'pairs')?.slice(4, 7)).toEqual(['0.25', '0.23', '0.27']);
    expect(find('source', 'word_perplexity', 'last-word')?.[4]).toBe('100');
    expect(find('retrained', 'acc_over_scratch', 'pairs')?.slice(4, 7)).toEqual(['0.125', '0.1', '0.15']);
    expect(find('source', 'acc_over_scratch', 'pairs')).toBeUndefined();
    expect(find('scratch', 'training_flops')).toBeUndefined();
    expect(rows[1]?.slice(7)).toEqual(['0.1.0', 'nano', 'ab'.repeat(32), '17', '128', 'mesa llvmpipe', 'true']);
  });

  it('is JSON that says everything', () => {
    expect(JSON.parse(reportJson(exampleReport))).toEqual(exampleReport);
  });
});
