import { useEffect, useSyncExternalStore } from 'react';
import type { Theme } from './core/theme-colours';
import { useView } from './view-store';

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const media = matchMedia(query);
      media.addEventListener('change', changed);
      return () => media.removeEventListener('change', changed);
    },
    () => matchMedia(query).matches,
  );
}

export const useReducedMotion = (): boolean => useMedia('(prefers-reduced-motion: reduce)');

/** One column: what a phone, or a narrow frame in a teacher's page, gets. */
export const useNarrow = (): boolean => useMedia('(max-width: 899px)');

/** Room for a larger anatomy without scrolling. */
export const useTall = (): boolean => useMedia('(min-height: 1000px)');

const PREFERS_DARK = '(prefers-color-scheme: dark)';

const resolve = (chosen: Theme | 'system', dark: boolean): Theme =>
  chosen === 'system' ? (dark ? 'dark' : 'light') : chosen;

/** The theme in force. */
export function useTheme(): Theme {
  const dark = useMedia(PREFERS_DARK);
  return resolve(
    useView((view) => view.theme),
    dark,
  );
}

/** The theme in force, read once. */
export const themeInForce = (): Theme => resolve(useView.getState().theme, matchMedia(PREFERS_DARK).matches);

/** Tells the style sheet which theme is in force. */
export function useThemeAttribute(): void {
  const theme = useTheme();
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
}
