import { describe, expect, it } from 'vitest';
import { llamaConfigJson } from '../formats/hugging-face';
import { parameterLayout } from '../llama/parameters';
import { TINY } from '../llama/testing';
import { closestMember } from './family';

const sizes = { small: 8, middle: 32, large: 96 };
const configOf = (intermediateSize: number, positions = 32) => ({
  ...TINY,
  intermediateSize,
  maxPositionEmbeddings: positions,
});

/** A site of three models that differ in their MLP width; reads of weights fail. */
function site(positions = { small: 32, middle: 32, large: 32 }) {
  const asked: string[] = [];
  const files = new Map<string, unknown>();
  const list = Object.entries(sizes).map(([name, width]) => {
    const config = configOf(width, positions[name as keyof typeof sizes]);
    const { parameterCount: parameters } = parameterLayout(config);
    const measured = { tokens_trained: 1e6, context: 32, validation_loss: { books: 3 } };
    files.set(`models/${name}/config.json`, llamaConfigJson(config));
    files.set(`models/${name}/card.json`, {
      name,
      parameters,
      ...measured,
      corpus_tokenizer_sha256: 'a',
      weights_sha256: `weights of ${name}`,
    });
    return { name, title: name, description: '', parameters, bytes: 4 * parameters };
  });
  files.set('models/index.json', list);
  const read = async (path: string) => {
    asked.push(path);
    if (!files.has(path)) throw new Error(`no ${path}`);
    return new TextEncoder().encode(JSON.stringify(files.get(path))).buffer;
  };
  return { read, asked };
}

describe('the closest member of the family', () => {
  it('is the one whose blocks are nearest in ratio, and no weights are read to find it', async () => {
    const { read, asked } = site();
    const nearest = async (width: number) =>
      (await closestMember(read, 'weights of large', configOf(width), 16))?.card.name;
    expect(await nearest(10)).toBe('small');
    expect(await nearest(40)).toBe('middle');
    expect(await nearest(90)).toBe('large');
    expect(asked.filter((path) => path.endsWith('.safetensors'))).toEqual([]);
  });

  it('has room for the windows that are measured', async () => {
    const { read } = site({ small: 8, middle: 32, large: 32 });
    expect((await closestMember(read, 'weights of large', configOf(8), 16))?.card.name).toBe('middle');
  });

  it('is nobody for a model that only bears the name of one', async () => {
    expect(await closestMember(site().read, 'large', configOf(8), 16)).toBeNull();
  });
});
