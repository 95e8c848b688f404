import type { Likelihood } from './log-likelihood';
import type { ItemOutcome, Scores, TaskResult } from './result';
import { perplexityEstimate, shareEstimate } from './statistics';
import type { ChoiceItem, LastWordItem, Task } from './task';

/** The first of the largest values, as numpy's argmax. */
function argmax(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

/**
 * Characters (code points) of a choice, without the one space that joins it to its context: the length that
 * lm-evaluation-harness divides by, whose choices get their space from `target_delimiter`.
 */
export function choiceLength(choice: string): number {
  return Math.max(1, [...choice.replace(/^ /, '')].length);
}

function choiceOutcome(item: ChoiceItem, likelihoods: readonly Likelihood[]): ItemOutcome {
  const sums = likelihoods.map(({ logLikelihood }) => logLikelihood);
  const perCharacter = sums.map((sum, i) => sum / choiceLength(item.choices[i]!));
  return {
    id: item.id,
    group: item.group ?? null,
    acc: argmax(sums) === item.answer,
    accNorm: argmax(perCharacter) === item.answer,
    logLikelihoods: sums,
  };
}

function lastWordOutcome(item: LastWordItem, { logLikelihood, greedy }: Likelihood): ItemOutcome {
  return {
    id: item.id,
    group: item.group ?? null,
    acc: greedy,
    accNorm: null,
    logLikelihoods: [logLikelihood],
  };
}

function summarise(form: Task['form'], outcomes: readonly ItemOutcome[]): Scores {
  return {
    items: outcomes.length,
    acc: shareEstimate(outcomes.map(({ acc }) => acc)),
    accNorm: form === 'choice' ? shareEstimate(outcomes.map(({ accNorm }) => accNorm === true)) : null,
    perplexity: form === 'last_word' ? perplexityEstimate(outcomes.map((o) => o.logLikelihoods[0]!)) : null,
  };
}

/** A task's result from the likelihoods of its continuations [item][choice]. */
export function resultOf(
  task: Task,
  likelihoods: readonly (readonly Likelihood[])[],
  truncated: number,
): TaskResult {
  const outcomes =
    task.form === 'choice'
      ? task.items.map((item, i) => choiceOutcome(item, likelihoods[i]!))
      : task.items.map((item, i) => lastWordOutcome(item, likelihoods[i]![0]!));
  const groups = [...new Set(outcomes.map(({ group }) => group))].filter((group) => group !== null);
  const { name, title, form, domain, metric, chance, sha256 } = task.info;
  return {
    task: { name, title, form, domain, metric, chance, sha256 },
    ...summarise(form, outcomes),
    groups: groups.map((group) => ({
      group,
      ...summarise(
        form,
        outcomes.filter((outcome) => outcome.group === group),
      ),
    })),
    truncated,
    outcomes,
  };
}
