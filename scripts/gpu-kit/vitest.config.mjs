import { defineConfig } from 'vitest/config';

/** The kit's tests: the repository's settings without the page's plugins. */
export default defineConfig({
  root: process.cwd(),
  test: {
    include: ['src/**/*.test.ts'],
    fileParallelism: process.env.KIT_PARALLEL === '1',
    maxWorkers: 8,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
