import { turnsStream } from '../../pruning/basis/fields';
import type { Experiment } from '../../experiment/schema';
import { calibrationLength } from '../../run/calibration';
import { describeValue, fieldOf, getField, sameValue } from './field-value';
import type { LlamaConfig } from '../../llama/config';
import type { LabState, UnitScores } from './lab-state';

/** The model in the anatomy. */
export interface ShownModel {
  name: string;
  weightsSha256?: string | null | undefined;
  config: LlamaConfig;
}

/** Whether this is the model with that name and those weights. */
export const isModel = (
  { name, weightsSha256 }: { name: string; weightsSha256: string | null },
  model: ShownModel,
): boolean => name === model.name && weightsSha256 === (model.weightsSha256 ?? null);

/** The scores that the page has, where they are of this model. */
export function scoresOf({ unitScores }: Pick<LabState, 'unitScores'>, model: ShownModel): UnitScores | null {
  const same = unitScores !== null && isModel({ ...unitScores, name: unitScores.source }, model);
  return same ? unitScores : null;
}

/** What scores were taken by and on, as a sentence without its full stop. */
export function describeOrigin({ origin }: UnitScores): string {
  if ('file' in origin) return `From ${origin.file}`;
  const { experiment } = origin;
  const said = (key: string) => describeValue(fieldOf(key), getField(experiment, key));
  const { sequences } = experiment.calibration;
  const along = !turnsStream(experiment) ? '' : `. Hidden: ${said('basis')}`;
  return `Layers: ${said('scores.layers')}. Widths: ${said('scores.widths')}. On ${sequences} × ${calibrationLength(experiment)} tokens${along}`;
}

const MATTER = [
  'basis',
  'scores.layers',
  'scores.widths',
  'calibration.sequences',
  'calibration.mixture',
  'calibration.seed',
];

/** What matters besides, where calibration sequences are drawn with the mixture that a run starts from. */
const MIXTURE_AT_START = ['mixture.mode', 'mixture.weights'];

/** Whether these settings would give other scores. */
export function isStale({ origin }: UnitScores, settings: Experiment): boolean {
  if ('file' in origin) return false;
  if (calibrationLength(origin.experiment) !== calibrationLength(settings)) return true;
  const keys = settings.calibration.mixture === 'start' ? [...MATTER, ...MIXTURE_AT_START] : MATTER;
  return keys.some((key) => !sameValue(getField(origin.experiment, key), getField(settings, key)));
}
