import { loadModelTokenizer } from '../data/corpus-fit';
import { readModelCard, type ModelCard } from '../data/model-family';
import { readModelFolder, tokenizerFiles, type InputFile } from '../formats/hugging-face';
import { packParameters, parameterLayout } from '../llama/parameters';
import { createThrottle } from '../run/throttle';
import { chooseSource } from './choosing';
import { device, post, postStatus, untilAborted, type LabState } from './environment';
import { guardTokenizer } from './guarded-tokenizer';
import { stopRun } from './run';

/** A file arrives in hundreds of pieces: the page hears of it at most this often. */
const PROGRESS_MS = 50;

/** Drops the run. The source that is open stays until the new one is there: a failed open changes nothing. */
async function beginOpening(state: LabState, signal: AbortSignal): Promise<void> {
  await stopRun(state);
  postStatus(state, 'loading');
  await device(state);
  signal.throwIfAborted();
}

interface Adopted {
  name: string;
  files: readonly InputFile[];
  card: ModelCard | null;
  /** The site's own, whose tokenizer is known to end. */
  own: boolean;
}

function adopt(state: LabState, { name, files, card, own }: Adopted): void {
  const folder = readModelFolder(files);
  const { config } = folder;
  const layout = parameterLayout(config);
  const load = () => loadModelTokenizer(config, folder.tokenizerJson, folder.tokenizerConfigJson);
  state.source = {
    name,
    config,
    parameters: packParameters(layout, folder.tensors),
    tokenizer: own ? load() : guardTokenizer(load, state.environment.underDeadline),
    extraFiles: tokenizerFiles(folder),
  };
  post(state, { type: 'source', name, config, parameters: layout.parameterCount, card });
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
  const card = readModelCard((path) => state.environment.read(path, { signal }), name);
  const files = await untilAborted(Promise.all(names.map(file)), signal);
  adopt(state, { name, files, card: await untilAborted(card, signal), own: true });
}

/** Opens the files of a Hugging Face folder that the visitor chose. */
export async function openLocal(
  state: LabState,
  files: readonly InputFile[],
  signal: AbortSignal,
): Promise<void> {
  await beginOpening(state, signal);
  adopt(state, { name: 'local', files, card: null, own: false });
}
