import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { packParameters, parameterLayout } from '../llama/parameters';
import { readModelFolder, writeModelFolder } from './hugging-face';
import { smallConfig, smallTensors, valuesOf } from './testing';
import { weightsHash } from './weights-hash';

const config = smallConfig();
const tensors = smallTensors(config);
const flat = (values = valuesOf(tensors)) => ({
  config,
  parameters: packParameters(parameterLayout(config), values),
});

test('is the hash of a text with a line for each tensor, in the order of names', async () => {
  const hash = (data: string | Float32Array) =>
    createHash('sha256')
      .update(typeof data === 'string' ? data : new Uint8Array(data.buffer))
      .digest('hex');
  const lines = [...tensors].map(([name, { shape, data }]) => `${name} ${shape.join(',')} ${hash(data)}\n`);
  expect(await weightsHash(flat())).toBe(hash(lines.sort().join('')));
});

test('knows a model again that was written and read, and not one with another last bit', async () => {
  const known = await weightsHash(flat());
  const read = readModelFolder(writeModelFolder(config, valuesOf(tensors), []));
  expect(await weightsHash(flat(read.tensors))).toBe(known);

  // Halves of a model are that model where they hold it exactly, and another one where they do not.
  const halves = readModelFolder(writeModelFolder(config, valuesOf(tensors), [], 'F16'));
  const halvesHash = await weightsHash(flat(halves.tensors));
  expect(halvesHash).not.toBe(known);
  const again = readModelFolder(writeModelFolder(config, halves.tensors, []));
  expect(await weightsHash(flat(again.tensors))).toBe(halvesHash);

  const values = valuesOf(tensors);
  const norm = values.get('model.norm.weight')!.slice();
  new Uint32Array(norm.buffer)[0]! ^= 1;
  expect(await weightsHash(flat(new Map([...values, ['model.norm.weight', norm]])))).not.toBe(known);
});
