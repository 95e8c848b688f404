/**
 * Seven hues for domains that stay apart for red-blind, green-blind and blue-blind eyes and keep a contrast
 * of at least 3:1 with the page's background in their theme (checked in theme-colours.test.ts).
 */
export const DOMAIN_COLOURS = {
  light: ['#14307f', '#df6f16', '#00a06c', '#bd6cbf', '#6b2d0a', '#1f62f5', '#101418'],
  dark: ['#4f6cf5', '#c98a2a', '#5ae791', '#cf3aa6', '#e9e33a', '#bcd5f4', '#84765f'],
} as const;

export const GATE_SET_COLOURS = {
  light: { hidden: '#14307f', head: '#df6f16', intermediate: '#00a06c', layer: '#bd6cbf' },
  dark: { hidden: '#bcd5f4', head: '#c98a2a', intermediate: '#5ae791', layer: '#cf3aa6' },
} as const;

export type Theme = keyof typeof DOMAIN_COLOURS;

export const BACKGROUND = { light: '#fbfbf8', dark: '#12181d' } as const;

/** Colours of the anatomy: a gate fades from `closed` to `open`; after the cut, `kept` stays. */
export const ANATOMY_COLOURS = {
  light: { closed: '#e6e8e4', open: '#12555c', kept: '#0b7a75', cut: '#c9cec9', text: '#4c5a63' },
  dark: { closed: '#1d262d', open: '#7fe3d8', kept: '#4fd1c5', cut: '#34414a', text: '#9db0ba' },
} as const;
