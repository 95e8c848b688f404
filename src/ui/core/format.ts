const MINUS = '\u2212';

/** Digits that fit a table: `digits` significant ones, and whole numbers where those are not enough. */
export function formatNumber(value: number, digits = 3): string {
  if (Number.isNaN(value)) return 'not a number';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  const magnitude = Math.abs(value);
  let text: string;
  if (magnitude >= 1e6 || (magnitude > 0 && magnitude < 1e-3))
    text = magnitude.toExponential(1).replace('e+', 'e');
  else if (Number.isInteger(magnitude) || magnitude >= 10 ** digits)
    text = Math.round(magnitude).toLocaleString('en');
  else text = magnitude.toPrecision(digits);
  text = text.replace('e-', `e${MINUS}`);
  return value < 0 ? `${MINUS}${text}` : text;
}

/** 1234567 → "1.23 M". */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return '–';
  for (const [size, suffix] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= size * 0.9995) return `${(value / size).toPrecision(3)}\u202f${suffix}`;
  }
  return String(Math.round(value));
}

export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  for (const [size, suffix] of [
    [2 ** 30, 'GiB'],
    [2 ** 20, 'MiB'],
    [2 ** 10, 'KiB'],
  ] as const) {
    if (bytes >= size * 0.9995) return `${(bytes / size).toPrecision(3)}\u202f${suffix}`;
  }
  return `${bytes}\u202fB`;
}

/** "40 s", "3 min 20 s", "1 h 5 min". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}\u202f%`;
}

/** exp(loss), in digits that stay comparable in a column. */
export function formatPerplexity(loss: number): string {
  const value = Math.exp(loss);
  if (!Number.isFinite(value)) return formatNumber(value);
  return value >= 1e5
    ? formatNumber(value)
    : value >= 1000
      ? Math.round(value).toLocaleString('en')
      : value.toFixed(value < 100 ? 2 : 1);
}

export function formatMilliseconds(milliseconds: number): string {
  return milliseconds >= 1000
    ? `${(milliseconds / 1000).toFixed(2)} s`
    : `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

/** 1 → "1st", 12 → "12th". */
export function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  const suffix = teen ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n.toLocaleString('en')}${suffix}`;
}
