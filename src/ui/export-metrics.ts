import { logText } from '../run/metrics-export';
import { RECORDED_RUN } from './core/run-record';
import { download } from './download';
import type { Lab } from './lab';
import { recordedEvents } from './replay';

/** Hands over a run's log: a row a step, or everything. That of a kept run comes from where it is kept. */
export async function exportMetrics(lab: Lab, run: string, format: 'csv' | 'json'): Promise<void> {
  if (run !== RECORDED_RUN) return lab.exportLog(run, format);
  const events = recordedEvents(lab);
  const name = `shear-lab-recorded-run.${format}`;
  const pieces: string[] = [];
  for await (const piece of logText(events, format)) pieces.push(piece);
  download(name, new Blob(pieces), format === 'csv' ? 'text/csv' : 'application/json');
}
