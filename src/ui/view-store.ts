import { create } from 'zustand';
import type { Theme } from './core/theme-colours';

/** How this visitor looks at the lab: never part of the experiment, never in the link. */
export interface ViewState {
  xAxis: 'step' | 'tokens' | 'seconds';
  logarithmic: boolean;
  smoothing: number;
  losses: 'held' | 'trained';
  range: readonly [number, number] | null;
  hiddenDomains: readonly number[];
  /** Charts that show their table instead. */
  tables: readonly string[];
  theme: Theme | 'system';
  /** The dialog that is open; those of a panel keep their own state. */
  dialog: 'keys' | 'corpus' | null;
}

const THEME_KEY = 'shear-lab-theme';

function storedTheme(): ViewState['theme'] {
  try {
    const stored = localStorage.getItem(THEME_KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}

export const useView = create<ViewState>(() => ({
  xAxis: 'step',
  logarithmic: false,
  smoothing: 0.8,
  losses: 'held',
  range: null,
  hiddenDomains: [],
  tables: [],
  theme: storedTheme(),
  dialog: null,
}));

export const setView = (change: Partial<ViewState>): void => useView.setState(change);

function toggled<Item>(list: readonly Item[], item: Item): Item[] {
  return list.includes(item) ? list.filter((other) => other !== item) : [...list, item];
}

export const toggleDomain = (domain: number): void =>
  setView({ hiddenDomains: toggled(useView.getState().hiddenDomains, domain) });

export const toggleTable = (chart: string): void =>
  setView({ tables: toggled(useView.getState().tables, chart) });

export function setTheme(theme: ViewState['theme']): void {
  try {
    if (theme === 'system') localStorage.removeItem(THEME_KEY);
    else localStorage.setItem(THEME_KEY, theme);
  } catch {
    // A browser that keeps nothing still switches for this visit.
  }
  setView({ theme });
}
