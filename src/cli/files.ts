import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { openCorpus, type Corpus } from '../data/corpus';
import { checkCorpusFits, loadModelTokenizer, readCorpusTokenizer } from '../data/corpus-fit';
import type { Tokenizer } from '../data/tokenizer';
import { parseJson } from '../formats/refusal';
import { parseLlamaConfig, readModelFolder, type ModelFolder } from '../formats/hugging-face';
import { weightsHash } from '../formats/weights-hash';
import type { LlamaConfig } from '../llama/config';
import { packParameters, parameterLayout } from '../llama/parameters';
import type { SourceModel } from '../run/run-context';

/** A path as the user typed it: relative to where they stand, which npm keeps in INIT_CWD. */
export function userPath(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** A log of a long run is large. */
const MOST_JSON_BYTES = 512e6;

/** Files that belong to a model folder; others (shards of checkpoints, say) are not read. */
const MODEL_FILE =
  /^(config|generation_config|tokenizer|tokenizer_config|model\.safetensors\.index)\.json$|\.safetensors$/;

/** Known by name only, so that a folder of nothing else is told apart from one that is not whole. */
const UNREAD_FILE = /\.(bin|pt|pth|ckpt)$/;

/** Node reads a file in one go up to here. */
const MOST_FILE_BYTES = 2 ** 31 - 1;

export interface OpenedModel extends ModelFolder {
  /** Where it lies. */
  folder: string;
  source: SourceModel;
}

/** The folder that a path or the name of a bundled model means. @throws one sentence. */
async function modelFolder(model: string): Promise<string> {
  const bundled = resolve('public/models', model);
  const typed = userPath(model);
  const folder = (await isFolder(typed)) ? typed : /^[a-z0-9._-]+$/.test(model) ? bundled : typed;
  if (!(await isFolder(folder))) {
    throw new Error(
      `MODEL: there is no folder ${model}; give a Hugging Face folder or the name of a bundled model.`,
    );
  }
  return folder;
}

/** The shape of a model, without its weights. @throws one sentence. */
export async function openConfig(model: string): Promise<{ name: string; config: LlamaConfig }> {
  const folder = await modelFolder(model);
  return { name: basename(folder), config: parseLlamaConfig(await readJson(join(folder, 'config.json'))) };
}

/** Reads a Hugging Face folder: a path, or the name of a bundled model. @throws one sentence. */
export async function openModel(model: string): Promise<OpenedModel> {
  const folder = await modelFolder(model);
  const names = await readdir(folder);
  const read = names.filter((name) => MODEL_FILE.test(name)).map((name) => readModelFile(folder, name));
  const unread = names.filter((name) => UNREAD_FILE.test(name));
  const files = [...(await Promise.all(read)), ...unread.map((name) => ({ name, bytes: new Uint8Array() }))];
  const opened = readModelFolder(files);
  const { config } = opened;
  const flat = { config, parameters: packParameters(parameterLayout(config), opened.tensors) };
  return {
    ...opened,
    folder,
    source: { name: basename(folder), weightsSha256: await weightsHash(flat), ...flat },
  };
}

async function readModelFile(folder: string, name: string) {
  const path = join(folder, name);
  const { size } = await stat(path);
  if (size > MOST_FILE_BYTES) {
    throw new Error(
      `${name} has ${(size / 2 ** 30).toFixed(1)} GiB, more than the 2 GiB that are read from one file: save the model in shards with model.save_pretrained(folder, max_shard_size="1GB").`,
    );
  }
  return { name, bytes: new Uint8Array(await readFile(path)) };
}

/** A file of the site by its path, as the page reads it. */
export async function readSiteFile(path: string): Promise<ArrayBuffer> {
  const bytes = await readFile(resolve('public', path));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** A model's tokenizer, or null when its folder has none. @throws InputError */
export function tokenizerOf({ source, tokenizerJson, tokenizerConfigJson }: OpenedModel): Tokenizer | null {
  return loadModelTokenizer(source.config, tokenizerJson, tokenizerConfigJson);
}

/**
 * The bundled corpus with as many training tokens of each domain as a run may need.
 *
 * @throws InputError when its token ids are not those of the model.
 */
export async function openCorpusFor(model: OpenedModel, trainTokens: number): Promise<Corpus> {
  const read = (path: string) => readSiteFile(`corpus/${path}`);
  const { corpus, manifest } = await openCorpus(read, { trainTokens });
  checkCorpusFits(model.source.config, tokenizerOf(model), await readCorpusTokenizer(read, manifest));
  return corpus;
}

/** Parses a JSON file. @throws one sentence that names the file. */
export async function readJson(path: string): Promise<unknown> {
  const bytes = await readFile(userPath(path)).catch(() => {
    throw new Error(`There is no file ${path} that can be read.`);
  });
  return parseJson(bytes, path, MOST_JSON_BYTES);
}
