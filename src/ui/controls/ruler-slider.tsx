import { Slider } from 'radix-ui';
import { type ReactNode, useId } from 'react';
import type { LegalSteps } from '../../pruning/target-shape';
import { formatPercent } from '../core/format';
import { NumberField } from './number-field';
import { ResetDot } from './reset-dot';

interface RulerSliderProps {
  label: string;
  value: number;
  /** What the source model allows. */
  steps: LegalSteps;
  /** Why it cannot be changed, in one sentence; null when it can. */
  fixed: string | null;
  /** A typed number is taken when it is done. */
  whenDone: boolean;
  /** A mark of its own on the ruler. */
  ghost?: ReactNode;
  fallback: number;
  /** One sentence when this size cannot be had. */
  problem: string | null;
  read(text: string): number | string;
  onChange(value: number): void;
}

/** One dimension of the target shape: a ruler with a mark a legal size, and the same number to type. */
export function RulerSlider(props: RulerSliderProps) {
  const { label, value, steps, fixed, whenDone, ghost, fallback, problem, read, onChange } = props;
  const problemId = useId();
  const { max } = steps;
  const { min, step } = steps.slider;
  const span = Math.max(1, max - min);
  const ticks = Array.from({ length: Math.round((max - min) / step) + 1 }, (_, i) => min + i * step);

  return (
    <div className="ruler" data-wrong={problem !== null} title={fixed ?? undefined}>
      <div className="ruler-head">
        <span className="ruler-label">
          {label}
          <ResetDot
            label={label}
            shown={fixed === null && value !== fallback}
            to={String(fallback)}
            onReset={() => onChange(fallback)}
          />
        </span>
        <span className="ruler-value">
          <NumberField
            name={`${label} value`}
            value={value}
            min={steps.min}
            max={max}
            step={steps.multiple}
            disabled={fixed !== null}
            whenDone={whenDone}
            read={read}
            onChange={onChange}
            describedBy={problem ? problemId : undefined}
          />
          <span className="ruler-size">
            of {max} <span className="ruler-share">{formatPercent(value / max)}</span>
          </span>
        </span>
      </div>
      <Slider.Root
        className="slider"
        min={min}
        max={max > min ? max : min + 1}
        step={step}
        disabled={fixed !== null || max === min}
        value={[Math.min(max, Math.max(min, value))]}
        onValueChange={([next]) => onChange(Math.min(next ?? value, max))}
      >
        <Slider.Track className="slider-track">
          <Slider.Range className="slider-range" />
        </Slider.Track>
        <Slider.Thumb
          className="slider-thumb"
          aria-label={label}
          aria-valuetext={`${value} of ${max}`}
          aria-describedby={problem ? problemId : undefined}
        />
      </Slider.Root>
      <div className="ruler-ticks" aria-hidden="true">
        {ticks.map((tick) => (
          <i key={tick} style={{ left: `${((tick - min) / span) * 100}%` }} data-kept={tick <= value} />
        ))}
        {ghost}
      </div>
      {problem && (
        <p id={problemId} className="field-problem">
          {problem}
        </p>
      )}
    </div>
  );
}
