import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Domain } from './corpus';
import { shuffledIndex } from './random';
import { evaluationWindows, nextBatch, startSampler, type SamplerState } from './sampler';

/** Every token says where it stands, so that a window's place can be read off. */
function domain(name: string, tokens: number): Domain {
  const text = Uint16Array.from({ length: tokens }, (_, i) => i);
  return { name, title: name, weight: 1, train: text, validation: text };
}

const corpus = { domains: [domain('a', 83), domain('b', 1000), domain('c', 16)] };
const mixture = [0.3, 0.5, 0.2];

function draw(state: SamplerState, batches: number, batchSize = 8) {
  const windows: { domain: number; start: number; tokens: number[] }[] = [];
  for (let i = 0; i < batches; i++) {
    const next = nextBatch(state, corpus, mixture, batchSize);
    state = JSON.parse(JSON.stringify(next.state)) as SamplerState;
    next.batch.domains.forEach((domain, b) => {
      const tokens = [...next.batch.tokens.subarray(b * 8, (b + 1) * 8)];
      windows.push({ domain, start: tokens[0]!, tokens });
    });
  }
  return { state, windows };
}

describe('nextBatch', () => {
  it('gives whole, aligned windows', () => {
    for (const { start, tokens } of draw(startSampler(1, 8, 3), 20).windows) {
      expect(start % 8).toBe(0);
      expect(tokens).toEqual(Array.from({ length: 8 }, (_, i) => start + i));
    }
  });

  it('reads every window of a domain once before any twice, in a new order each epoch', () => {
    const starts = draw(startSampler(5, 8, 3), 60)
      .windows.filter((w) => w.domain === 0)
      .map((w) => w.start);
    const windows = Math.floor(83 / 8);
    const epochs = [starts.slice(0, windows), starts.slice(windows, 2 * windows)];
    const all = Array.from({ length: windows }, (_, i) => i * 8);
    for (const epoch of epochs) {
      expect([...epoch].sort((a, b) => a - b)).toEqual(all);
      expect(epoch).not.toEqual(all);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it('draws domains by the mixture, whatever the batch size', () => {
    const { windows } = draw(startSampler(3, 8, 3), 1000);
    mixture.forEach((weight, d) => {
      const share = windows.filter((w) => w.domain === d).length / windows.length;
      // Four standard deviations of 8,000 draws.
      expect(Math.abs(share - weight)).toBeLessThan(4 * Math.sqrt((weight * (1 - weight)) / 8000));
    });
    expect(draw(startSampler(3, 8, 3), 8000, 1).windows).toEqual(windows);
  });

  it('repeats itself for a seed, differs between seeds, and resumes from its state', () => {
    const whole = draw(startSampler(7, 8, 3), 12).windows;
    expect(draw(startSampler(7, 8, 3), 12).windows).toEqual(whole);
    expect(draw(startSampler(8, 8, 3), 12).windows).not.toEqual(whole);
    const first = draw(startSampler(7, 8, 3), 5);
    expect([...first.windows, ...draw(first.state, 7).windows]).toEqual(whole);
  });

  it('never draws a domain of weight 0', () => {
    const state = startSampler(7, 8, 3);
    expect([...nextBatch(state, corpus, [0, 0, 2], 50).batch.domains]).toEqual(Array(50).fill(2));
    expect([...nextBatch(state, corpus, [2, 0, 0], 50).batch.domains]).toEqual(Array(50).fill(0));
    expect(() => nextBatch(state, corpus, [0, 0, 0], 1)).toThrow('weight 0');
  });

  it('says which domain is too short for a window', () => {
    expect(() => nextBatch(startSampler(1, 17, 3), corpus, [0, 0, 1], 1)).toThrow(
      'Domain c has 16 train tokens, fewer than one window',
    );
    expect(() => nextBatch(startSampler(1, 8, 3), corpus, [1, 1], 1)).toThrow('2 weights for 3 domains');
  });
});

describe('shuffledIndex', () => {
  it('is a permutation for every length, and another for another key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), fc.integer(), (length, key) => {
        const seen = new Set(Array.from({ length }, (_, i) => shuffledIndex(i, length, key)));
        expect(seen.size).toBe(length);
        expect(Math.max(...seen)).toBe(length - 1);
      }),
      { numRuns: 200 },
    );
  });

  it('sends the first place everywhere alike', () => {
    const counts = Array<number>(10).fill(0);
    for (let key = 0; key < 10_000; key++) counts[shuffledIndex(0, 10, key)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(27.9); // 9 degrees of freedom, p = 0.001
  });
});

describe('evaluationWindows', () => {
  it('spreads windows evenly over the split without overlap', () => {
    const { tokens, windows } = evaluationWindows(corpus.domains[1]!, 10, 4);
    expect(windows).toBe(4);
    expect([0, 1, 2, 3].map((i) => tokens[i * 10])).toEqual([0, 250, 500, 750]);
    expect(tokens[9]).toBe(9);
  });

  it('gives all windows when more are asked for', () => {
    const { tokens, windows } = evaluationWindows(corpus.domains[0]!, 8, 4096);
    expect(windows).toBe(10);
    expect([...tokens]).toEqual(Array.from({ length: 80 }, (_, i) => i));
    expect(() => evaluationWindows(corpus.domains[2]!, 17, 1)).toThrow('16 validation tokens');
  });
});
