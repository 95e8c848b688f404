import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../formats/hugging-face';
import { checkTarget } from '../pruning/target-shape';
import { parseExperiment, presetListSchema } from './schema';

const folder = 'public/experiments';
const read = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
const list = presetListSchema.parse(read('index.json'));

describe('the experiments that the page offers', () => {
  it('lists every file of the folder', () => {
    const files = readdirSync(folder).filter((name) => name !== 'index.json');
    expect(list.map(({ file }) => file).sort()).toEqual(files.sort());
  });

  for (const { file } of list) {
    it(`${file} fits its source model`, () => {
      const experiment = parseExperiment(read(file), file);
      const config = parseLlamaConfig(
        JSON.parse(readFileSync(`public/models/${experiment.source}/config.json`, 'utf8')),
      );
      expect(checkTarget(config, experiment.target, experiment.gates)).toEqual([]);
      expect(experiment.contextLength).toBeLessThanOrEqual(config.maxPositionEmbeddings);
    });
  }
});
