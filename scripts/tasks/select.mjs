import { itemId, shuffled } from './items.mjs';

/** Context and answer of every choice, in tokens of the lab: inside a window of 128 with its end-of-text token. */
const MOST_TOKENS = 120;
/** How much of the context, in characters, counts with the answer as seen in training. */
const CONTEXT_OF_NEEDLE = 50;

/**
 * What must not occur in training text: the answer with the end of its context.
 * @param {import('./items.mjs').Candidate} candidate
 */
export const trainingNeedle = ({ context, answer }) => context.slice(-CONTEXT_OF_NEEDLE) + answer;

/**
 * Takes candidates in an arbitrary but fixed order until the task, or the group, is full; shuffles those taken once
 * more, since a rare group's would otherwise all stand last.
 * @template {import('./items.mjs').Candidate} T
 * @param {{ atMost: number, perGroup?: boolean }} recipe
 * @param {T[]} candidates
 * @param {{ countTokens: (text: string) => number, isInTraining: (candidate: T) => boolean }} corpus
 * @returns {{ chosen: T[], dropped: Record<string, number> }} every candidate is either chosen or counted
 */
export function select({ atMost, perGroup }, candidates, { countTokens, isInTraining }) {
  /** @type {Map<string | undefined, number>} */
  const taken = new Map();
  const seen = new Set();
  const dropped = { repeated: 0, in_training: 0, over_limit: 0, too_long: 0 };
  const chosen = shuffled(candidates, 'task-choice').filter((candidate) => {
    const id = itemId(candidate);
    const group = perGroup ? candidate.group : undefined;
    const before = taken.get(group) ?? 0;
    const reason = seen.has(id)
      ? 'repeated'
      : isInTraining(candidate)
        ? 'in_training'
        : before >= atMost
          ? 'over_limit'
          : isTooLong(candidate, countTokens)
            ? 'too_long'
            : null;
    seen.add(id);
    if (reason) dropped[reason]++;
    else taken.set(group, before + 1);
    return reason === null;
  });
  return { chosen: shuffled(chosen, 'task-order'), dropped };
}

/**
 * @param {import('./items.mjs').Candidate} candidate
 * @param {(text: string) => number} countTokens
 */
function isTooLong({ context, answer, distractors }, countTokens) {
  return [answer, ...distractors].some((choice) => countTokens(context + choice) > MOST_TOKENS);
}
