import { z } from 'zod';
import type { LlamaConfig } from '../llama/config';
import { parameterLayout } from '../llama/parameters';
import { llamaConfigJson, parseLlamaConfig } from './llama-config';
import { checked, parseJson, plain, quoted, refuse } from './refusal';
import {
  openSafetensors,
  readTensor,
  writeSafetensors,
  type SafetensorsFile,
  type Tensor,
  type WeightType,
} from './safetensors';

export { llamaConfigJson, parseLlamaConfig } from './llama-config';

/** A file of a Hugging Face folder, as a form, a fetch or a disk gives it. */
export interface InputFile {
  /** May be a path; only its last part counts. */
  name: string;
  bytes: ArrayBuffer | Uint8Array;
}

export interface OutputFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A model folder, read completely and checked. */
export interface ModelFolder {
  config: LlamaConfig;
  /** Row-major values by Hugging Face's names; `parameterLayout(config)` knows the shapes. */
  tensors: Map<string, Float32Array>;
  /** Parsed tokenizer.json, not yet checked (src/data/tokenizer.ts does); null if there is none. */
  tokenizerJson: unknown;
  tokenizerConfigJson: unknown;
}

/** Names and shapes ([out, in] for matrices) of a LLaMA's tensors, as transformers' LlamaForCausalLM has them. */
function expectedTensors(config: LlamaConfig): Map<string, readonly number[]> {
  return new Map(parameterLayout(config).tensors.map(({ name, shape }) => [name, shape]));
}

/** Tensors that files carry although they say nothing: RoPE's frequencies, and the head of a tied model. */
function isRedundant(name: string, config: LlamaConfig): boolean {
  return name.endsWith('.rotary_emb.inv_freq') || (config.tieWordEmbeddings && name === 'lm_head.weight');
}

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** What to do about a folder without model.safetensors, from the files that it has instead. */
function missingWeights(names: readonly string[]): string {
  const torch = names.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  const other = names.find((name) => name.endsWith('.safetensors'));
  if (other) {
    return `the file is missing, and ${plain(other)} is not read without model.safetensors.index.json, which names each tensor's file; rename a single file to model.safetensors`;
  }
  return torch
    ? `the file is missing, and ${plain(torch)} (PyTorch's own format) is not read; save the model as safetensors: model.save_pretrained(folder, safe_serialization=True)`
    : 'the file is missing; open the whole folder of the model';
}

/** Where each tensor lies: the one file, or the shards that model.safetensors.index.json names. */
function openWeights(files: ReadonlyMap<string, InputFile>): Map<string, SafetensorsFile> {
  const open = (name: string, reason: string): SafetensorsFile => {
    const file = files.get(name);
    return file ? openSafetensors(file.bytes, name) : refuse(plain(name), reason);
  };
  const indexName = 'model.safetensors.index.json';
  const index = files.get(indexName);
  if (!index || files.has('model.safetensors')) {
    const file = open('model.safetensors', missingWeights([...files.keys()]));
    return new Map([...file.tensors.keys()].map((name) => [name, file]));
  }
  const { weight_map } = checked(indexSchema, parseJson(index.bytes, indexName), indexName);
  const shards = new Map<string, SafetensorsFile>();
  const places = new Map<string, SafetensorsFile>();
  for (const [tensor, shardName] of Object.entries(weight_map)) {
    let shard = shards.get(shardName);
    if (!shard)
      shards.set(shardName, (shard = open(shardName, `the file is missing, but ${indexName} names it`)));
    if (!shard.tensors.has(tensor)) {
      refuse(indexName, `tensor ${quoted(tensor)} is not in ${plain(shardName)}`);
    }
    places.set(tensor, shard);
  }
  return places;
}

function filesByName(files: readonly InputFile[]): Map<string, InputFile> {
  const byName = new Map<string, InputFile>();
  for (const file of files) {
    const name = file.name.split(/[/\\]/).at(-1)!;
    // A chosen folder may hold copies of a file in folders of its own: the one nearest to the top counts.
    const other = byName.get(name);
    if (!other || depth(file.name) < depth(other.name)) byName.set(name, file);
  }
  return byName;
}

function depth(path: string): number {
  return path.split(/[/\\]/).length;
}

/**
 * Reads a Hugging Face folder: config.json, model.safetensors (or shards with their index), tokenizer.json
 * if there is one. Every tensor that the configuration implies must be there with exactly its shape, and no
 * other may be: nothing is half-loaded.
 *
 * @throws InputError in one sentence that names the file, the field or tensor, and what it should be.
 */
export function readModelFolder(files: readonly InputFile[]): ModelFolder {
  const byName = filesByName(files);
  const json = (name: string): unknown => {
    const file = byName.get(name);
    return file ? parseJson(file.bytes, name) : null;
  };
  if (!byName.has('config.json'))
    refuse('config.json', 'the file is missing; open the whole folder of the model');
  const config = parseLlamaConfig(json('config.json'));
  const places = openWeights(byName);
  const expected = expectedTensors(config);

  for (const [name, shape] of expected) {
    const found = places.get(name)?.tensors.get(name);
    if (!found)
      return refuse('model.safetensors', `tensor ${quoted(name)} is missing, but config.json implies it`);
    if (found.shape.length !== shape.length || found.shape.some((extent, i) => extent !== shape[i])) {
      refuse(
        'model.safetensors',
        `tensor ${quoted(name)} has shape [${found.shape.join(', ')}], but config.json implies [${shape.join(', ')}]`,
      );
    }
  }
  for (const name of places.keys()) {
    if (!expected.has(name) && !isRedundant(name, config)) {
      refuse(
        'model.safetensors',
        `tensor ${quoted(name)} has no place in the LLaMA that config.json describes`,
      );
    }
  }
  const tensors = new Map<string, Float32Array>();
  for (const name of expected.keys()) tensors.set(name, readTensor(places.get(name)!, name).data);
  return {
    config,
    tensors,
    tokenizerJson: json('tokenizer.json'),
    tokenizerConfigJson: json('tokenizer_config.json'),
  };
}

const TORCH_NAMES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** The tokenizer's files of a folder, for the export of a model made from it. */
export function tokenizerFiles({
  tokenizerJson,
  tokenizerConfigJson,
}: Pick<ModelFolder, 'tokenizerJson' | 'tokenizerConfigJson'>): OutputFile[] {
  return [
    { name: 'tokenizer.json', json: tokenizerJson },
    { name: 'tokenizer_config.json', json: tokenizerConfigJson },
  ]
    .filter(({ json }) => json !== null && json !== undefined)
    .map(({ name, json }) => ({ name, bytes: new TextEncoder().encode(JSON.stringify(json)) }));
}

/**
 * Writes a model as a Hugging Face folder: config.json, model.safetensors and `extraFiles` as they are.
 * `tensors` holds row-major values by Hugging Face's names (llama/parameters' `unpackParameters`).
 *
 * @throws Error if a tensor is missing, superfluous or of another size than the configuration implies: a
 * model that does not have the shape it claims is never exported.
 */
export function writeModelFolder(
  config: LlamaConfig,
  tensors: ReadonlyMap<string, Float32Array>,
  extraFiles: readonly OutputFile[] = [],
  dtype: WeightType = 'F32',
): OutputFile[] {
  const shaped = new Map<string, Tensor>();
  for (const [name, shape] of expectedTensors(config)) {
    const data = tensors.get(name);
    if (!data) throw new Error(`The model has no tensor ${quoted(name)}, so it cannot be exported.`);
    shaped.set(name, { shape: [...shape], data });
  }
  for (const name of tensors.keys()) {
    if (!shaped.has(name)) throw new Error(`Tensor ${quoted(name)} has no place in the exported model.`);
  }
  const configText = `${JSON.stringify(llamaConfigJson(config, TORCH_NAMES[dtype]), null, 2)}\n`;
  return [
    { name: 'config.json', bytes: new TextEncoder().encode(configText) },
    { name: 'model.safetensors', bytes: writeSafetensors(shaped, {}, dtype) },
    ...extraFiles,
  ];
}
