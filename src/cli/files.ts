import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { openCorpus, type Corpus } from '../data/corpus';
import { checkCorpusFits, loadModelTokenizer, readCorpusTokenizer } from '../data/corpus-fit';
import type { Tokenizer } from '../data/tokenizer';
import { readModelFolder, type ModelFolder } from '../formats/hugging-face';
import { weightsHash } from '../formats/weights-hash';
import { packParameters, parameterLayout } from '../llama/parameters';
import type { SourceModel } from '../run/run';

/** A path as the user typed it: relative to where they stand, which npm keeps in INIT_CWD. */
export function userPath(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** Files that belong to a model folder; others (shards of checkpoints, say) are not read. */
const MODEL_FILE =
  /^(config|generation_config|tokenizer|tokenizer_config|model\.safetensors\.index)\.json$|\.safetensors$/;

export interface OpenedModel extends ModelFolder {
  source: SourceModel;
}

/** Reads a Hugging Face folder: a path, or the name of a bundled model. @throws one sentence. */
export async function openModel(model: string): Promise<OpenedModel> {
  const bundled = resolve('public/models', model);
  const typed = userPath(model);
  const folder = (await isFolder(typed)) ? typed : /^[a-z0-9._-]+$/.test(model) ? bundled : typed;
  if (!(await isFolder(folder))) {
    throw new Error(
      `MODEL: there is no folder ${model}; give a Hugging Face folder or the name of a bundled model.`,
    );
  }
  const names = (await readdir(folder)).filter((name) => MODEL_FILE.test(name));
  const files = await Promise.all(
    names.map(async (name) => ({ name, bytes: new Uint8Array(await readFile(join(folder, name))) })),
  );
  const opened = readModelFolder(files);
  const { config } = opened;
  const flat = { config, parameters: packParameters(parameterLayout(config), opened.tensors) };
  return { ...opened, source: { name: basename(folder), weightsSha256: await weightsHash(flat), ...flat } };
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

/** Makes the folder that --out names and tries it, before hours are spent. @throws one sentence */
export async function makeOutputFolder(out: string): Promise<string> {
  const folder = userPath(out);
  const trial = join(folder, `.shear-lab-${process.pid}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(trial, '');
    await rm(trial);
  } catch {
    throw new Error(`--out ${out} is no folder that can be written to: choose another.`);
  }
  return folder;
}

/** Parses a JSON file. @throws one sentence that names the file. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(userPath(path), 'utf8').catch(() => {
    throw new Error(`There is no file ${path} that can be read.`);
  });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`${path} is not valid JSON.`);
  }
}
