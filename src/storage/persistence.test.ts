import { afterEach, expect, test, vi } from 'vitest';
import { askForPersistence } from './persistence';

afterEach(() => void vi.unstubAllGlobals());

const browserWith = (storage: object | undefined) => vi.stubGlobal('navigator', { storage });

test('asks once, and not again where it was granted before', async () => {
  const persist = vi.fn(async () => true);
  browserWith({ persist, persisted: async () => false });
  expect(await askForPersistence()).toBe(true);
  expect(persist).toHaveBeenCalledOnce();
  browserWith({ persist, persisted: async () => true });
  expect(await askForPersistence()).toBe(true);
  expect(persist).toHaveBeenCalledOnce();
});

test('is false where it is refused, and in a browser or a worker that cannot ask', async () => {
  browserWith({ persist: async () => false, persisted: async () => false });
  expect(await askForPersistence()).toBe(false);
  for (const storage of [undefined, { persisted: async () => false }]) {
    browserWith(storage);
    expect(await askForPersistence()).toBe(false);
  }
});
