import type { Experiment } from '../../experiment/schema';
import { describeValue, fieldOf, getField, sameValue } from './field-value';
import type { LlamaConfig } from '../../llama/config';
import type { LabState, UnitScores } from './lab-state';

/** The model in the anatomy. */
export interface ShownModel {
  name: string;
  weightsSha256?: string | null | undefined;
  config: LlamaConfig;
}

/** The scores that the page has, where they are of this model. */
export function scoresOf(
  { unitScores }: Pick<LabState, 'unitScores'>,
  { name, weightsSha256 }: ShownModel,
): UnitScores | null {
  const same = unitScores?.source === name && unitScores.weightsSha256 === (weightsSha256 ?? null);
  return same ? unitScores : null;
}

/** What scores were taken by and on, as a sentence without its full stop. */
export function describeOrigin({ origin }: UnitScores): string {
  if ('file' in origin) return `From ${origin.file}`;
  const { experiment } = origin;
  const said = (key: string) => describeValue(fieldOf(key), getField(experiment, key));
  const { sequences, length } = experiment.calibration;
  return `Layers: ${said('scores.layers')}. Widths: ${said('scores.widths')}. On ${sequences} × ${length} tokens`;
}

const MATTER = [
  'scores.layers',
  'scores.widths',
  'calibration.sequences',
  'calibration.length',
  'calibration.mixture',
  'calibration.seed',
];

/** Whether these settings would give other scores. */
export function isStale({ origin }: UnitScores, settings: Experiment): boolean {
  if ('file' in origin) return false;
  return MATTER.some((key) => !sameValue(getField(origin.experiment, key), getField(settings, key)));
}
