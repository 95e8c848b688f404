import { expect, it } from 'vitest';
import { describeAdapter } from './adapter-name';

it('says what an adapter is in words that a person reads', () => {
  const adapter = { vendor: 'nvidia', architecture: '', description: '', software: false };
  expect(describeAdapter({ ...adapter, description: 'NVIDIA: 580.159.04 580.159.4.0' })).toBe(
    'NVIDIA GPU (driver 580.159.04)',
  );
  expect(describeAdapter({ ...adapter, architecture: 'turing' })).toBe('nvidia turing');
  expect(describeAdapter({ ...adapter, description: 'SwiftShader', software: true })).toBe(
    'a software adapter (SwiftShader)',
  );
  expect(describeAdapter({ ...adapter, vendor: '' })).toBe('a GPU that does not say its name');
});
