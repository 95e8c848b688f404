import { defaultExperiment } from '../experiment/schema';
import { encodePermalink, type Permalink } from '../experiment/permalink';
import type { Lab } from './lab';
import { openRecorded } from './replay';
import { readModelList } from '../data/model-family';
import { readSite } from './site-files';

/** Everything that happens by itself when the page opens: the recorded run plays while the model loads. */
export async function openLab(lab: Lab, problems: Permalink['problems'], canCompute: boolean): Promise<void> {
  if (problems.length === 1) lab.notify({ kind: 'warning', text: problems[0] ?? '' });
  if (problems.length > 1) {
    const text = `${problems.length} things in the link could not be taken as they are.`;
    lab.notify({ kind: 'warning', text, details: problems });
  }
  void openRecorded(lab);
  if (!canCompute) lab.withoutGpu();
  if (canCompute) lab.listRuns();
  const { experiment, interventions } = lab.store.getState();
  // The default model is there: no need to wait for the list before it loads.
  const defaults = experiment.source === defaultExperiment().source;
  // An address that says nothing leaves the model open: the one that suits the device is taken.
  if (canCompute && encodePermalink({ experiment, interventions }) === '') lab.chooseSource(null);
  else if (canCompute && defaults) lab.openSource();
  try {
    const models = await readModelList(readSite);
    lab.store.setState({ models });
    checkSource(lab);
  } catch (error) {
    lab.notify({ kind: 'error', text: error instanceof Error ? error.message : String(error) });
  }
  if (canCompute && !defaults) lab.openSource();
}

/** A link may name a model that this site does not have, or one that lay on somebody's disk. */
function checkSource(lab: Lab): void {
  const { experiment, models } = lab.store.getState();
  const wanted = experiment.source;
  const first = models[0];
  if (!first || models.some((model) => model.name === wanted)) return;
  const text =
    wanted === 'local'
      ? `The link was made with a model from a folder: open that folder under “Source model”. Until then ${first.title} is used.`
      : `There is no source model “${wanted}” here: ${first.title} is used.`;
  lab.notify({ kind: 'warning', text });
  lab.setField('source', first.name);
}
