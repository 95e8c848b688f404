import type { Estimate, Scores, TaskResult } from './result';

/** A result in the names of lm-evaluation-harness, for JSON: what is not to be had is null. */
export function resultJson(result: TaskResult) {
  const { name, form, domain, metric, chance, sha256 } = result.task;
  return {
    name,
    form,
    domain,
    metric,
    chance,
    ...scoresJson(result),
    groups: Object.fromEntries(result.groups.map((scores) => [scores.group, scoresJson(scores)])),
    truncated: result.truncated,
    file_sha256: sha256,
  };
}

function scoresJson({ items, acc, accNorm, perplexity }: Scores) {
  return {
    n: items,
    ...estimateJson('acc', acc),
    ...estimateJson('acc_norm', accNorm),
    ...estimateJson('word_perplexity', perplexity),
  };
}

/** A single item has no standard error, and a perplexity's interval may have no end that a number can hold. */
const known = (value: number) => (Number.isFinite(value) ? value : null);

/** `name`, `name_stderr` (null for a single item) and `name_interval`; nothing of what the form has not. */
function estimateJson(name: string, estimate: Estimate | null) {
  if (!estimate) return {};
  const { value, standardError, low, high } = estimate;
  return {
    [name]: value,
    [`${name}_stderr`]: known(standardError),
    [`${name}_interval`]: [known(low), known(high)],
  };
}
