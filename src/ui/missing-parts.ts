/**
 * A part of the page that is loaded on demand may be missing: the connection is down, or a newer version of the
 * site has replaced the files that this page was built with, which a reload fixes.
 */
const missing = new WeakSet<object>();
const RELOADED_KEY = 'shear-lab-reloaded';
/** A reload so short ago did not help: another would not, either. */
const RECENT_MS = 60_000;

let saveFirst: () => void = () => undefined;

/**
 * Notes every part that could not be loaded; whoever asked for it gets the error as well. `save` is called before
 * the page is reloaded for one.
 */
export function watchMissingParts(save: () => void): void {
  saveFirst = save;
  window.addEventListener('vite:preloadError', ({ payload }) => void missing.add(payload));
}

export const isMissingPart = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && missing.has(error);

/** Whether this page was reloaded for a missing part a moment ago. */
export function hasJustReloaded(now = Date.now()): boolean {
  try {
    return now - Number(sessionStorage.getItem(RELOADED_KEY) ?? 0) < RECENT_MS;
  } catch {
    return false;
  }
}

/** Reloads the page with its newest settings; the browser asks first while a run would be lost. */
export function reloadPage(): void {
  saveFirst();
  try {
    sessionStorage.setItem(RELOADED_KEY, String(Date.now()));
  } catch {
    // A browser that keeps nothing offers the reload again.
  }
  location.reload();
}
