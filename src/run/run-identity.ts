import { plain, refuse } from '../formats/refusal';
import { weightsHash } from '../formats/weights-hash';
import { parameterCount } from '../pruning/cost';
import type { FlatModel } from '../llama/parameters';
import type { RunEvent, StartedEvent } from './events';
import type { RunModels, SourceModel } from './run';

const SUBJECT = 'run log';

/** Long enough to tell models apart in a sentence. */
const short = (hash: string | null | undefined) =>
  hash ? `weights ${hash.slice(0, 12)}` : 'weights unknown';

/**
 * Checks that `opened` is the model that this run pruned: by the hash of its weights, or in a log that has none by
 * its number of parameters and its configuration.
 *
 * @throws InputError in one sentence that names both
 */
export function checkRunSource({ source: pruned }: StartedEvent, opened: SourceModel): void {
  const same =
    pruned.weightsSha256 && opened.weightsSha256
      ? pruned.weightsSha256 === opened.weightsSha256
      : pruned.parameters === parameterCount(opened.config) &&
        sorted(pruned.config) === sorted(opened.config);
  if (same) return;
  refuse(
    SUBJECT,
    `the run pruned ${plain(pruned.name)} (${short(pruned.weightsSha256)}), but ${plain(opened.name)} (${short(opened.weightsSha256)}) was opened: give the model that was pruned (--model)`,
  );
}

/**
 * Checks that models read from files are those that the run ended with. A log without hashes cannot tell.
 *
 * @throws InputError that says which is another
 */
export async function checkRunModels(events: readonly RunEvent[], models: RunModels): Promise<void> {
  const surgery = events.find((event) => event.type === 'surgery');
  const finished = events.find((event) => event.type === 'finished');
  await checkModel('the pruned model', models.pruned, surgery?.weightsSha256);
  await checkModel('the final model', models.retrained ?? models.pruned, finished?.summary.weightsSha256);
}

async function checkModel(what: string, model: FlatModel, logged: string | undefined): Promise<void> {
  if (logged === undefined) return;
  const read = await weightsHash(model);
  if (read !== null && read !== logged) {
    refuse(
      SUBJECT,
      `${what} beside it is another than the run wrote (${short(read)}, in the log ${short(logged)}): run prune again`,
    );
  }
}

/** A plain object as text, whatever the order of its fields. */
function sorted(value: object): string {
  return JSON.stringify(value, (_, field: unknown) =>
    field && typeof field === 'object' && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
