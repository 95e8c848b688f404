import { writeModelFolder } from '../formats/hugging-face';
import { zipFiles } from '../formats/zip';
import { parameterLayout, unpackParameters } from '../llama/parameters';
import { finalModel } from '../run/run';
import { needSource, post, type LabState } from './environment';
import { checkSameSource, finishedRun } from './runs';

/** The model that came out of a run as a zipped Hugging Face folder. @throws one sentence while there is none */
export async function exportModel(state: LabState, run: string): Promise<void> {
  const finished = await finishedRun(state, run);
  checkSameSource(state, finished);
  const { name, extraFiles } = needSource(state);
  const { config, parameters } = finalModel(finished);
  const tensors = unpackParameters(parameterLayout(config), parameters);
  const zip = await zipFiles(writeModelFolder(config, tensors, extraFiles));
  const { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize } = config;
  const shape = `L${numHiddenLayers}-d${hiddenSize}-H${numAttentionHeads}-I${intermediateSize}`;
  const bytes = zip.buffer;
  post(state, { type: 'exported', fileName: `${name}-${shape}.zip`, bytes }, [bytes]);
}
