import { describe, expect, it } from 'vitest';
import { exampleReport } from '../../report/example';
import type { Report } from '../../session/protocol';
import { initialState, type LabState } from './lab-state';
import { reduceReport } from './reduce-report';
import { describeProgress } from './status-text';

const begun: LabState = {
  ...initialState(),
  status: 'finished',
  engine: { state: 'open', adapter: null },
  jobs: [{ id: 4, kind: 'compare', progress: null }],
  comparison: { id: 4, run: 'a', report: null },
};
const after = (...reports: Report[]) => reports.reduce(reduceReport, begun);
const comparing = (id: number): Report => ({
  type: 'progress',
  id,
  what: 'From scratch: training',
  share: 0.25,
  secondsLeft: 90,
});
const compared: Report = { type: 'compared', id: 4, report: exampleReport };
const ended: Report = { type: 'jobEnded', id: 4 };

describe('a comparison on the page', () => {
  it('tells what it is at, and how long it still takes', () => {
    expect(describeProgress(after(comparing(4)))).toEqual({
      text: 'Comparing: From scratch: training, 1 min 30 s left',
      share: 0.25,
      phase: 'Comparing: From scratch: training',
    });
  });

  it('hears only of the one that was asked for last', () => {
    expect(after(comparing(3))).toEqual(begun);
  });

  it('shows each model as it comes, and ends with the last', () => {
    const partial = after(comparing(4), compared);
    expect(partial.comparison?.report).toBe(exampleReport);
    expect(partial.jobs).toMatchObject([{ id: 4, progress: { share: 0.25 } }]);
    const over = reduceReport(partial, ended);
    expect(over.comparison?.report).toBe(exampleReport);
    expect(describeProgress(over).text).toBe('Finished');
  });

  it('keeps what was measured when something fails', () => {
    const failed: Report = { type: 'failed', message: 'The file is damaged.', fatal: false };
    expect(after(comparing(4), compared, failed, ended)).toMatchObject({
      comparison: { report: exampleReport },
      jobs: [],
    });
  });
});
