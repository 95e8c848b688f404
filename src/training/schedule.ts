/**
 * Share of the peak learning rate at zero-based `step` of `steps`: linear warm-up over `warmup` (a share of
 * the steps), then a cosine to `floor` (docs/method.md, section 8). It scales the rates of weights, gates and
 * multipliers alike.
 */
export function learningRateShare(step: number, steps: number, warmup: number, floor: number): number {
  const rising = Math.round(steps * warmup);
  if (step < rising) return (step + 1) / rising;
  const progress = steps - rising <= 1 ? 0 : (step - rising) / (steps - rising);
  return floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress));
}
