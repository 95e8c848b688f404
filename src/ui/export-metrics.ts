import { metricsCsv, metricsJson } from '../run/metrics-export';
import { runLogHeader } from '../run/run-log';
import { RECORDED_RUN } from './core/run-record';
import { download } from './download';
import type { Lab } from './lab';
import { recordedEvents } from './replay';

/** Hands over a run's log: a row a step, or everything. That of a kept run comes from where it is kept. */
export async function exportMetrics(lab: Lab, run: string, format: 'csv' | 'json'): Promise<void> {
  if (run !== RECORDED_RUN) return lab.exportLog(run, format);
  const events = recordedEvents(lab);
  const name = `shear-lab-recorded-run.${format}`;
  if (format === 'csv') return download(name, metricsCsv(events), 'text/csv');
  const pieces: string[] = [];
  for await (const piece of metricsJson(events, runLogHeader(events))) pieces.push(piece);
  download(name, pieces.join(''), 'application/json');
}
