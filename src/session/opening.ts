import { loadModelTokenizer } from '../data/corpus-fit';
import { findByWeights, findModelCard, readModelCard, type ModelCard } from '../data/model-family';
import { readModelFolder, tokenizerFiles, type InputFile } from '../formats/hugging-face';
import { weightsHash } from '../formats/weights-hash';
import { packParameters, parameterLayout } from '../llama/parameters';
import { createThrottle } from '../run/throttle';
import { chooseSource } from './choosing';
import { device, post, postStatus, stopRun, untilAborted, type LabState } from './environment';
import { guardTokenizer } from './guarded-tokenizer';

/** What a model from a folder of the visitor's is called. */
const LOCAL = 'local';
/** A file arrives in hundreds of pieces: the page hears of it at most this often. */
const PROGRESS_MS = 50;

/** Drops the run. The source that is open stays until the new one is there: a failed open changes nothing. */
async function beginOpening(state: LabState, signal: AbortSignal): Promise<void> {
  await stopRun(state);
  postStatus(state, 'loading');
  await device(state);
  signal.throwIfAborted();
}

/** Takes the model as the source; `findCard` gives the card of the model with these weights. */
async function adopt(
  state: LabState,
  name: string,
  files: readonly InputFile[],
  findCard: (weightsSha256: string | null) => Promise<ModelCard | null>,
  signal: AbortSignal,
): Promise<void> {
  const folder = readModelFolder(files);
  const { config } = folder;
  const layout = parameterLayout(config);
  const load = () => loadModelTokenizer(config, folder.tokenizerJson, folder.tokenizerConfigJson);
  const flat = { config, parameters: packParameters(layout, folder.tensors) };
  const weightsSha256 = await untilAborted(weightsHash(flat), signal);
  const card = await untilAborted(findCard(weightsSha256), signal);
  state.source = {
    name,
    weightsSha256,
    ...flat,
    // The site's own tokenizers are known to end.
    tokenizer: name === LOCAL ? guardTokenizer(load, state.environment.underDeadline) : load(),
    extraFiles: tokenizerFiles(folder),
  };
  post(state, { type: 'source', name, weightsSha256, config, parameters: layout.parameterCount, card });
  postStatus(state, 'ready');
}

/**
 * Opens a model of the site; null: the one that suits the device.
 *
 * @throws one sentence, or an AbortError when `signal` says so
 */
export async function openBundled(
  state: LabState,
  wanted: string | null,
  signal: AbortSignal,
): Promise<void> {
  await beginOpening(state, signal);
  const name = wanted ?? (await chooseSource(state, signal));
  const folder = `models/${name}`;
  const file = async (fileName: string) => {
    const due = createThrottle(PROGRESS_MS);
    const onProgress = (loaded: number, total: number) => {
      if (signal.aborted || !(due() || loaded === total)) return;
      post(state, { type: 'loading', what: `${name}/${fileName}`, loaded, total });
    };
    return {
      name: fileName,
      bytes: await state.environment.read(`${folder}/${fileName}`, { onProgress, signal }),
    };
  };
  const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
  const listed = readModelCard((path) => state.environment.read(path, { signal }), name);
  const files = await untilAborted(Promise.all(names.map(file)), signal);
  const findCard = async (weightsSha256: string | null) => {
    const card = await listed;
    return card && findByWeights([card], weightsSha256);
  };
  await adopt(state, name, files, findCard, signal);
}

/** Opens the files of a Hugging Face folder that the visitor chose. */
export async function openLocal(
  state: LabState,
  files: readonly InputFile[],
  signal: AbortSignal,
): Promise<void> {
  await beginOpening(state, signal);
  const read = (path: string) => state.environment.read(path, { signal });
  // A model of the site is known by its weights, also in a folder of the visitor's; without the list it has no card.
  const findCard = (weightsSha256: string | null) => findModelCard(read, weightsSha256).catch(() => null);
  await adopt(state, LOCAL, files, findCard, signal);
}
