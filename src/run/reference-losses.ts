import { cutConfig } from './cut-config';
import { findByWeights, fitFamily, isExtrapolated, type ModelCard } from '../data/model-family';
import { lossAt } from '../data/scaling-law';
import { refuse } from '../formats/refusal';
import { type LlamaConfig } from '../llama/config';
import { parameterCount } from '../pruning/cost';
import type { Experiment } from '../experiment/schema';

/** How the scaling law moves the source model's losses to those of a family member of the target's size. */
export interface ScalingShift {
  /** The target's parameters: the N of the law. */
  parameters: number;
  /** No member of the family is as small, or as large. */
  extrapolated: boolean;
  /** Nats a token by domain, to be added to what the source model reaches on the run's own windows. */
  shift: number[];
}

/** Whether a run of this experiment compares losses with the family's scaling law. */
export function usesScalingLaw({ mixture }: Experiment): boolean {
  return mixture.mode === 'dynamic' && mixture.referenceLosses === 'scaling-law';
}

/**
 * Reference losses from the family (Sheared LLaMA, App. B). The law speaks of whole validation splits in the
 * card's windows; a run measures fewer windows, perhaps of another length. What that changes is taken to be
 * the same for the source model and for a member of the target's size, and the source is measured both ways:
 *
 *   ℓ_ref = law(N_target) + (ℓ_source on the run's windows − ℓ_source on its card)
 *         = ℓ_source on the run's windows + shift,    shift = law(N_target) − ℓ_source on its card
 *
 * @param family as `readFamily` gives it for the source
 * @param domains of the run, in its order
 * @throws InputError in one sentence when the source has no such family or the family no such law.
 */
export function scalingShift(
  experiment: Experiment,
  source: { name: string; config: LlamaConfig; weightsSha256: string | null },
  family: readonly ModelCard[],
  domains: readonly string[],
): ScalingShift {
  const subject = 'Reference losses (mixture.referenceLosses)';
  const own = findByWeights(family, source.weightsSha256);
  if (!own) {
    return refuse(
      subject,
      `the scaling law is that of the site's own models, and ${source.name} is none of them: take "source"`,
    );
  }
  const parameters = parameterCount(cutConfig(source.config, experiment));
  const fits = new Map(fitFamily(family).map(({ domain, fit }) => [domain, fit]));
  const shift = domains.map((domain) => {
    const fit = fits.get(domain);
    if (!fit)
      return refuse(subject, `not every model of the family was measured on ${domain}: take "source"`);
    if ('problem' in fit) return refuse(`${subject}, ${domain}`, fit.problem);
    return lossAt(fit.law, parameters) - own.validation_loss[domain]!;
  });
  return { parameters, extrapolated: isExtrapolated(family, parameters), shift };
}
