import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.soak.ts'],
    fileParallelism: false,
    // The heap is looked at after a collection.
    execArgv: ['--expose-gc'],
  },
});
