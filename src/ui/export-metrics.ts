import { metricsCsv, metricsJson } from '../run/metrics-export';
import { runLogHeader } from '../run/run-log';
import type { RunRecord } from './core/run-record';
import { download } from './download';

/** Hands over a run's log: a row a step, or everything. */
export function exportMetrics(run: RunRecord, format: 'csv' | 'json'): void {
  const { source, experiment } = run.started;
  const name = `shear-lab-${source.name}-seed${experiment.seed}-run${run.id}.${format}`;
  if (format === 'csv') download(name, metricsCsv(run.log), 'text/csv');
  else download(name, [...metricsJson(run.log, runLogHeader(run.log))].join(''), 'application/json');
}
