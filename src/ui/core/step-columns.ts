import type { StepEvent } from '../../run/events';
import { GATE_SETS } from './gate-sets';
import { createSeries, firstAtLeast, type Series } from './series';

/** The optimiser steps of a run by column: a hundred thousand of them as objects would fill a page's memory. */
export interface StepColumns {
  readonly length: number;
  /** Rises. */
  step: Series;
  tokens: Series;
  elapsedMs: Series;
  /** What charts draw, by the keys of their rows: `loss`, `divergence`, `trained0`…, `expected_head`… */
  drawn: ReadonlyMap<string, Series>;
  newest: StepEvent | null;
}

interface Growing extends StepColumns {
  length: number;
}

const CONSTRAINT = ['expected', 'target', 'lambda1', 'lambda2'] as const;

export function createStepColumns(domains: number): StepColumns {
  const keys = [
    'loss',
    'divergence',
    ...Array.from({ length: domains }, (_, domain) => `trained${domain}`),
    ...GATE_SETS.flatMap((set) => CONSTRAINT.map((part) => `${part}_${set}`)),
  ];
  return {
    length: 0,
    step: createSeries(),
    tokens: createSeries(),
    elapsedMs: createSeries(),
    drawn: new Map(keys.map((key) => [key, createSeries()])),
    newest: null,
  };
}

export function addStep(columns: StepColumns, event: StepEvent): void {
  const { step, tokens, elapsedMs, drawn } = columns;
  step.push(event.step);
  tokens.push(event.tokens);
  elapsedMs.push(event.elapsedMs);
  const put = (key: string, value: number | null | undefined) => drawn.get(key)?.push(value ?? NaN);
  put('loss', event.loss);
  put('divergence', event.divergence);
  event.domainLoss.forEach((loss, domain) => put(`trained${domain}`, loss));
  for (const set of GATE_SETS) {
    for (const part of CONSTRAINT) put(`${part}_${set}`, event.sparsity?.[set]?.[part]);
  }
  (columns as Growing).length++;
  columns.newest = event;
}

/** The first and the last index of the steps from `first` to `end`; the last is smaller where there are none. */
export function indicesOf({ step }: StepColumns, first: number, end: number): [number, number] {
  return [firstAtLeast(step, first), firstAtLeast(step, end + 1) - 1];
}

interface Smoothed {
  weight: number;
  series: Series[];
  means: number[];
}

const smoothed = new WeakMap<StepColumns, Smoothed>();

/**
 * Training losses by domain as an exponential running mean that starts at the first value it meets; gaps leave it as
 * it is. `weight` is that of the past; 0: the losses themselves. Only steps that are new are added.
 */
export function smoothedLosses(columns: StepColumns, domains: number, weight: number): Series[] {
  const raw = Array.from({ length: domains }, (_, domain) => columns.drawn.get(`trained${domain}`)!);
  if (weight === 0) return raw;
  let cache = smoothed.get(columns);
  if (cache?.weight !== weight) {
    cache = { weight, series: raw.map(() => createSeries()), means: raw.map(() => NaN) };
    smoothed.set(columns, cache);
  }
  for (const [domain, values] of raw.entries()) {
    const series = cache.series[domain]!;
    let mean = cache.means[domain]!;
    for (let i = series.length; i < values.length; i++) {
      const value = values.at(i);
      if (!Number.isNaN(value)) mean = Number.isNaN(mean) ? value : weight * mean + (1 - weight) * value;
      series.push(mean);
    }
    cache.means[domain] = mean;
  }
  return cache.series;
}
