import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PanelBoundary } from './controls/panel-boundary';
import { hasJustReloaded, isMissingPart, reloadPage, watchMissingParts } from './missing-parts';

const page = new EventTarget();
const done: string[] = [];
const kept = new Map<string, string>();

beforeEach(() => {
  done.length = 0;
  kept.clear();
  vi.stubGlobal('window', page);
  vi.stubGlobal('location', { reload: () => done.push('reloaded') });
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  });
});
afterEach(() => void vi.unstubAllGlobals());

it('knows the errors of parts that could not be loaded', () => {
  watchMissingParts(() => undefined);
  const payload = new Error('Failed to fetch');
  page.dispatchEvent(Object.assign(new Event('vite:preloadError'), { payload }));
  expect([payload, new Error('Failed to fetch'), null].map(isMissingPart)).toEqual([true, false, false]);
});

it('saves the settings before it reloads, and does not offer a second reload at once', () => {
  watchMissingParts(() => done.push('saved'));
  expect(hasJustReloaded()).toBe(false);
  reloadPage();
  expect(done).toEqual(['saved', 'reloaded']);
  expect(hasJustReloaded()).toBe(true);
  expect(hasJustReloaded(Date.now() + 61_000)).toBe(false);
});

it('reloads where the browser keeps nothing', () => {
  vi.stubGlobal('sessionStorage', undefined);
  reloadPage();
  expect(done).toContain('reloaded');
  expect(hasJustReloaded()).toBe(false);
});

it('a boundary holds whatever was thrown, undefined too', () => {
  const error = new Error('no');
  expect(PanelBoundary.getDerivedStateFromError(error)).toEqual({ error });
  expect(PanelBoundary.getDerivedStateFromError(undefined).error).toBeInstanceOf(Error);
});
