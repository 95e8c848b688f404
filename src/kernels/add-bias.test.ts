import { describe, it } from 'vitest';
import { addBias } from './add-bias';
import { download, expectClose, randomValues, runOnce, upload } from './testing';

describe('add_bias', () => {
  it('adds the bias to every row', async () => {
    const [rows, columns] = [37, 19];
    const values = randomValues(rows * columns, 1);
    const bias = randomValues(columns, 2);
    const buffer = await upload(values);
    const biasBuffer = await upload(bias);
    await runOnce((r) => addBias(r, { values: buffer, bias: biasBuffer, rows, columns, label: 'add bias' }));
    // One f32 addition: half an ulp of the result.
    expectClose(
      await download(buffer),
      values.map((v, i) => v + bias[i % columns]!),
      { atol: 1e-7, rtol: 1e-7 },
    );
  });
});
