import { describe, expect, it } from 'vitest';
import { BACKGROUND, DOMAIN_COLOURS, GATE_SET_COLOURS, type Theme } from './theme-colours';

type Triple = [number, number, number];

function linear(hex: string): Triple {
  return [1, 3, 5].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Triple;
}

const luminance = ([r, g, b]: Triple) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

/** WCAG 2 contrast ratio. */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => y - x) as [
    number,
    number,
  ];
  return (light + 0.05) / (dark + 0.05);
}

/** Machado, Oliveira and Fernandes 2009, severity 1, in linear RGB. */
const VISION: Record<string, Triple[]> = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  'red-blind': [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  'green-blind': [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  'blue-blind': [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE L*a*b* of a colour as that eye sees it. */
function seen(hex: string, matrix: Triple[]): Triple {
  const rgb = linear(hex);
  const [r, g, b] = matrix.map((row) =>
    Math.min(1, Math.max(0, row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2])),
  ) as Triple;
  const curve = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

describe.each(['light', 'dark'] as const)('colours of the %s theme', (theme: Theme) => {
  const palettes = [DOMAIN_COLOURS[theme], Object.values(GATE_SET_COLOURS[theme])];

  it('stand out from the background by 3:1', () => {
    for (const colour of palettes.flat()) {
      expect(contrast(colour, BACKGROUND[theme]), colour).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(Object.keys(VISION))('stay apart for a %s eye', (eye) => {
    for (const palette of palettes) {
      const labs = palette.map((colour) => seen(colour, VISION[eye] ?? []));
      for (const [i, a] of labs.entries()) {
        for (const [j, b] of labs.slice(0, i).entries()) {
          const distance = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
          // 25 is far beyond the just noticeable difference of about 2.3: thin lines need it.
          expect(distance, `${palette[i]} and ${palette[j]}`).toBeGreaterThan(25);
        }
      }
    }
  });
});
