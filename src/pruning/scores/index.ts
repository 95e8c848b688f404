import { blockInfluence } from './block-influence';
import { byHand } from './by-hand';
import type { Criterion } from './criterion';
import { flap } from './flap';
import { magnitude } from './magnitude';
import { minitron } from './minitron';
import { perplexity } from './perplexity';
import { random } from './random';
import { sleb } from './sleb';
import { taylor } from './taylor';
import { wandaSp } from './wanda-sp';

/** Every score of units; a new one is a file of this folder and a line here. */
export const CRITERIA = [
  blockInfluence,
  perplexity,
  sleb,
  minitron,
  wandaSp,
  flap,
  taylor,
  magnitude,
  random,
  byHand,
] as const;

type Registered = (typeof CRITERIA)[number];
export type CriterionId = Registered['id'];
type Scoring<Set extends string, C = Registered> = C extends { id: infer Id; sets: readonly (infer Sets)[] }
  ? Set extends Sets
    ? Id
    : never
  : never;
export type LayerCriterionId = Scoring<'layer'>;
export type WidthCriterionId = Scoring<'hidden'>;

export const layerCriteria = CRITERIA.filter(scores('layer')) as (Criterion<LayerCriterionId> & Registered)[];
export const widthCriteria = CRITERIA.filter(scores('hidden')) as (Criterion<WidthCriterionId> &
  Registered)[];

function scores(set: string) {
  return ({ sets }: Registered) => (sets as readonly string[]).includes(set);
}

export function criterion(id: CriterionId): Criterion<CriterionId> {
  return CRITERIA.find((one) => one.id === id)!;
}
