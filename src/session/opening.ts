import { z } from 'zod';
import { loadModelTokenizer } from '../data/corpus-fit';
import { readModelFolder, tokenizerFiles, type InputFile } from '../formats/hugging-face';
import { packParameters, parameterLayout } from '../llama/parameters';
import { device, post, postStatus, untilAborted, type LabState } from './environment';
import type { SourceCard } from './protocol';
import { stopRun } from './run';

const cardSchema: z.ZodType<SourceCard> = z.object({
  name: z.string(),
  parameters: z.number(),
  tokens_trained: z.number(),
  context: z.number(),
  validation_loss: z.record(z.string(), z.number()),
});

/** A model's card; null when it has none that can be read: it says something about a model, it is not one. */
function parseCard(bytes: ArrayBuffer | null): SourceCard | null {
  if (!bytes) return null;
  try {
    return cardSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data ?? null;
  } catch {
    return null;
  }
}

/** Drops the run. The source that is open stays until the new one is there: a failed open changes nothing. */
async function beginOpening(state: LabState, signal: AbortSignal): Promise<void> {
  await stopRun(state);
  postStatus(state, 'loading');
  await device(state);
  signal.throwIfAborted();
}

function adopt(state: LabState, name: string, files: readonly InputFile[], card: SourceCard | null): void {
  const folder = readModelFolder(files);
  const { config } = folder;
  const layout = parameterLayout(config);
  state.source = {
    name,
    config,
    parameters: packParameters(layout, folder.tensors),
    tokenizer: loadModelTokenizer(config, folder.tokenizerJson, folder.tokenizerConfigJson),
    extraFiles: tokenizerFiles(folder),
  };
  post(state, { type: 'source', name, config, parameters: layout.parameterCount, card });
  postStatus(state, 'ready');
}

/** Opens a model of the site. @throws one sentence, or an AbortError when `signal` says so */
export async function openBundled(state: LabState, name: string, signal: AbortSignal): Promise<void> {
  await beginOpening(state, signal);
  const folder = `models/${name}`;
  const file = async (fileName: string) => {
    const onProgress = (loaded: number, total: number) => {
      if (!signal.aborted) post(state, { type: 'loading', what: `${name}/${fileName}`, loaded, total });
    };
    return {
      name: fileName,
      bytes: await state.environment.read(`${folder}/${fileName}`, { onProgress, signal }),
    };
  };
  const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
  const files = await untilAborted(Promise.all(names.map(file)), signal);
  const card = state.environment.read(`${folder}/card.json`, { signal }).catch(() => null);
  adopt(state, name, files, parseCard(await untilAborted(card, signal)));
}

/** Opens the files of a Hugging Face folder that the visitor chose. */
export async function openLocal(
  state: LabState,
  files: readonly InputFile[],
  signal: AbortSignal,
): Promise<void> {
  await beginOpening(state, signal);
  adopt(state, 'local', files, null);
}
