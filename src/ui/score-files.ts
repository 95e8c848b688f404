import { csvText } from '../formats/csv';
import { plain, refuse } from '../formats/refusal';
import type { LlamaConfig } from '../llama/config';
import type { Scores } from '../pruning/scores/criterion';
import { LARGEST_TABLE, readScoreTable, scoreRows } from '../pruning/scores/table';
import type { UnitScores } from './core/lab-state';
import { download } from './download';

/** Scores from a file of the visitor's. @throws InputError: one sentence that names line and column */
export async function readScoreFile(file: File, config: LlamaConfig): Promise<Scores> {
  const subject = plain(file.name);
  // Before anything of it is read.
  if (file.size > LARGEST_TABLE) refuse(subject, `must have at most ${LARGEST_TABLE / 1e6} MB`);
  return readScoreTable(config, await file.text(), subject);
}

/** Hands scores over as a table, a line for each unit. */
export function exportScores({ source, scores }: UnitScores, config: LlamaConfig): void {
  download(`shear-lab-${source}-scores.csv`, csvText(scoreRows(config, scores)), 'text/csv');
}
