import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EvaluationReport } from '../src/report/report';
import { reportCsv, reportMarkdown } from '../src/report/export';
import { defaultExperiment, parseExperiment } from '../src/experiment/schema';
import { formatted, section, withSection } from './readme-section.mjs';

const RECORDED = 'docs/reports/default.json';
/** What stands in the README before the first measurement. */
const NOT_YET = 'Not measured yet: `npm run report` does.';

describe('the README’s table of the default experiment', () => {
  it('is that of the recorded report', async () => {
    const shown = section(readFileSync('README.md', 'utf8'));
    if (!existsSync(RECORDED)) {
      expect(shown).toBe(NOT_YET);
      return;
    }
    const report = JSON.parse(readFileSync(RECORDED, 'utf8')) as EvaluationReport;
    const markdown = await formatted(reportMarkdown(report), 'markdown');
    expect(shown).toBe(markdown.trim());
    expect(readFileSync('docs/reports/default.md', 'utf8')).toBe(markdown);
    expect(readFileSync('docs/reports/default.csv', 'utf8')).toBe(reportCsv(report));
    // Fields that are newer than the report have their defaults.
    expect(parseExperiment(report.experiment)).toEqual(defaultExperiment());
  });

  it('takes the place of the one before', () => {
    const readme = 'a\n<!-- report: written by npm run report -->\nold\n<!-- end of report -->\nb\n';
    const once = withSection(readme, '| new |\n');
    expect(section(once)).toBe('| new |');
    expect(withSection(once, '| new |')).toBe(once);
    expect(once.startsWith('a\n') && once.endsWith('\nb\n')).toBe(true);
    expect(() => withSection('no marks', 'x')).toThrow(/README\.md must have/);
  });
});
