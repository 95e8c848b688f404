import { expect, it } from 'vitest';
import { MAX_HEAD_DIM as KERNEL_MAX_HEAD_DIM } from '../kernels/attention';
import { MAX_HEAD_DIM } from './config';

it('a configuration may have the head sizes that attention computes, and no others', () => {
  expect(MAX_HEAD_DIM).toBe(KERNEL_MAX_HEAD_DIM);
});
