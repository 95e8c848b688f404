import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import {
  llamaConfigJson,
  readModelFolder,
  writeModelFolder,
  type InputFile,
  type OutputFile,
} from './hugging-face';
import { openSafetensors, writeSafetensors, type Tensor } from './safetensors';
import { smallConfig, smallTensors, valuesOf } from './testing';
import { zipFiles } from './zip';

const json = (name: string, value: unknown): OutputFile => ({
  name,
  bytes: new TextEncoder().encode(JSON.stringify(value)),
});

const config = smallConfig();
const folder = (tensors: Map<string, Tensor>, over = config): InputFile[] => [
  json('config.json', llamaConfigJson(over)),
  { name: 'model.safetensors', bytes: writeSafetensors(tensors) },
];

describe('Hugging Face folder', () => {
  it.each([
    ['plain', smallConfig()],
    ['tied', smallConfig({ tieWordEmbeddings: true })],
    ['biased', smallConfig({ attentionBias: true, mlpBias: true })],
  ])('reads back a %s model that it wrote', (_, config) => {
    const tensors = valuesOf(smallTensors(config));
    const files = writeModelFolder(config, tensors, [json('tokenizer.json', { a: 1 })]);
    expect(files.map((file) => file.name)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    const read = readModelFolder(files.map((file) => ({ ...file, name: `folder/${file.name}` })));
    expect(read.config).toEqual(config);
    expect(read.tensors).toEqual(tensors);
    expect(read.tokenizerJson).toEqual({ a: 1 });
    expect(read.tokenizerConfigJson).toBeNull();
  });

  it('writes the tensors of a biased, untied layer', () => {
    const config = smallConfig({ attentionBias: true, mlpBias: true, numHiddenLayers: 1 });
    const written = writeModelFolder(config, valuesOf(smallTensors(config)));
    const shapes = [...openSafetensors(written[1]!.bytes).tensors].map(([name, { shape }]) => [name, shape]);
    expect(Object.fromEntries(shapes)).toEqual({
      'model.embed_tokens.weight': [11, 12],
      'model.layers.0.input_layernorm.weight': [12],
      'model.layers.0.self_attn.q_proj.weight': [24, 12],
      'model.layers.0.self_attn.q_proj.bias': [24],
      'model.layers.0.self_attn.k_proj.weight': [12, 12],
      'model.layers.0.self_attn.k_proj.bias': [12],
      'model.layers.0.self_attn.v_proj.weight': [12, 12],
      'model.layers.0.self_attn.v_proj.bias': [12],
      'model.layers.0.self_attn.o_proj.weight': [12, 24],
      'model.layers.0.self_attn.o_proj.bias': [12],
      'model.layers.0.post_attention_layernorm.weight': [12],
      'model.layers.0.mlp.gate_proj.weight': [10, 12],
      'model.layers.0.mlp.gate_proj.bias': [10],
      'model.layers.0.mlp.up_proj.weight': [10, 12],
      'model.layers.0.mlp.up_proj.bias': [10],
      'model.layers.0.mlp.down_proj.weight': [12, 10],
      'model.layers.0.mlp.down_proj.bias': [12],
      'model.norm.weight': [12],
      'lm_head.weight': [11, 12],
    });
  });

  it('opens the bundled model, which another program wrote', () => {
    const folder = new URL('../../public/models/nano/', import.meta.url);
    const file = (name: string) => ({ name, bytes: readFileSync(new URL(name, folder)) });
    const { config, tensors } = readModelFolder(
      ['config.json', 'model.safetensors', 'tokenizer.json'].map(file),
    );
    const values = [...tensors.values()].reduce((sum, data) => sum + data.length, 0);
    const card = JSON.parse(file('card.json').bytes.toString()) as { parameters: number };
    expect(values).toBe(card.parameters);
    expect(tensors.get('model.norm.weight')).toHaveLength(config.hiddenSize);
  });

  it('reads shards by their index', () => {
    const tensors = [...smallTensors(config)];
    const shards = [tensors.slice(0, 7), tensors.slice(7)];
    const name = (i: number) => `model-0000${i + 1}-of-00002.safetensors`;
    const weight_map = Object.fromEntries(
      shards.flatMap((shard, i) => shard.map(([tensor]) => [tensor, name(i)])),
    );
    const files = [
      json('config.json', llamaConfigJson(config)),
      json('model.safetensors.index.json', { metadata: { total_size: 1 }, weight_map }),
      ...shards.map((shard, i) => ({ name: name(i), bytes: writeSafetensors(new Map(shard)) })),
    ];
    expect(readModelFolder(files).tensors).toEqual(valuesOf(new Map(tensors)));
    expect(() => readModelFolder(files.slice(0, 3))).toThrow(
      'model-00002-of-00002.safetensors: the file is missing, but model.safetensors.index.json names it',
    );
  });

  it('ignores RoPE’s stored frequencies and the stored head of a tied model', () => {
    const tied = smallConfig({ tieWordEmbeddings: true });
    const tensors = new Map<string, Tensor>([
      ...smallTensors(tied),
      ['model.layers.0.self_attn.rotary_emb.inv_freq', { shape: [3], data: Float32Array.of(1, 2, 3) }],
      ['lm_head.weight', { shape: [11, 12], data: new Float32Array(132) }],
    ]);
    expect(readModelFolder(folder(tensors, tied)).tensors).toEqual(valuesOf(smallTensors(tied)));
  });

  it('names the tensor that is missing, superfluous or misshapen', () => {
    const missing = smallTensors(config);
    missing.delete('model.layers.1.mlp.up_proj.weight');
    expect(() => readModelFolder(folder(missing))).toThrow('"model.layers.1.mlp.up_proj.weight" is missing');

    const bias = smallTensors(smallConfig({ attentionBias: true }));
    expect(() => readModelFolder(folder(bias))).toThrow(
      '"model.layers.0.self_attn.q_proj.bias" has no place',
    );

    const turned = smallTensors(config);
    turned.get('lm_head.weight')!.shape = [12, 11];
    expect(() => readModelFolder(folder(turned))).toThrow(
      'model.safetensors: tensor "lm_head.weight" has shape [12, 11], but config.json implies [11, 12]',
    );
    for (const absent of ['config.json', 'model.safetensors']) {
      const files = folder(smallTensors(config)).filter((file) => file.name !== absent);
      expect(() => readModelFolder(files)).toThrow(`${absent}: the file is missing`);
    }
  });

  it('never writes a model that has not the shape it claims', () => {
    const tensors = valuesOf(smallTensors(config));
    const wider = smallConfig({ intermediateSize: 12 });
    expect(() => writeModelFolder(wider, tensors)).toThrow('of shape [12, 12] has 120 values');
    const deeper = smallConfig({ numHiddenLayers: 3 });
    expect(() => writeModelFolder(deeper, tensors)).toThrow('has no tensor "model.layers.2.');
    expect(() => writeModelFolder(config, valuesOf(smallTensors(deeper)))).toThrow('"model.layers.2.');
  });

  it('zips a folder so that another program unpacks it, the same bytes each time', async () => {
    const files = writeModelFolder(config, valuesOf(smallTensors(config)), [json('tokenizer.json', {})]);
    const large = { name: 'large.safetensors', bytes: new Uint8Array(20 << 20).map((_, i) => i * 7) };
    const all = [...files, large, { name: 'empty.txt', bytes: new Uint8Array(0) }];
    const archive = await zipFiles(all);
    const unpacked = unzipSync(archive);
    expect(Object.keys(unpacked)).toEqual(all.map((file) => file.name));
    for (const file of all) expect(Buffer.compare(unpacked[file.name]!, file.bytes)).toBe(0);
    expect(Buffer.compare(await zipFiles(all), archive)).toBe(0);
  });
});
