import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { report } from './commands/report';

const folder = mkdtempSync(join(tmpdir(), 'shear-lab-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is wrong is said before a device is opened or a step is run. */
const refusal = (experiment: string, options: Record<string, string> = {}) =>
  report.run({ positionals: [experiment], options }).then(
    () => 'nothing was refused',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

describe('report', () => {
  it('names the arm, the experiment or the option that there is not', async () => {
    expect(await refusal('default', { arms: 'source,best' })).toBe(
      '--arms has no best: choose among source, pruned, retrained, scratch, rewarmed, family.',
    );
    expect(await refusal('no-such-preset')).toMatch(/^There is no file .*no-such-preset\.json/);
    expect(await refusal('default', { limit: '0' })).toMatch(/^--limit must be/);
    expect(await refusal('default', { model: 'no-such-model' })).toMatch(/^MODEL: there is no folder/);
  });

  it('takes a finished run only', async () => {
    expect(await refusal(folder)).toMatch(/run\.json/);
    const recorded = JSON.parse(readFileSync('public/recorded/run.json', 'utf8')) as { events: unknown[] };
    writeFileSync(join(folder, 'run.json'), JSON.stringify(recorded));
    // Before its models are looked for: the run is not one of this source.
    expect(await refusal(folder, { model: 'small' })).toMatch(
      /^run log: the run pruned nano \(.*\), but small \(weights 319fbd351435\) was opened/,
    );
    expect(await refusal(folder)).toMatch(/^config\.json: the file is missing/);
    recorded.events.pop();
    writeFileSync(join(folder, 'run.json'), JSON.stringify(recorded));
    expect(await refusal(folder)).toBe('run.json: the run has not finished; run it again with prune.');
  });
});
