import { useId, useState } from 'react';

interface NumberFieldProps {
  name: string;
  value: number;
  min: number;
  max: number;
  step: number | 'any';
  /** The number, or one sentence that says why this text cannot be taken. */
  read(text: string): number | string;
  onChange(value: number): void;
  describedBy?: string;
  disabled?: boolean;
  /** Taken with Enter or when the field is left, not with every digit: 4 on the way to 40 is no change of a run. */
  whenDone?: boolean;
}

/** A number that a visitor types. What cannot be taken stays visible, marked, with the reason under it. */
export function NumberField(props: NumberFieldProps) {
  const { name, value, min, max, step, read, onChange, describedBy, disabled, whenDone = false } = props;
  // The text while it differs from the value; null: the field shows the value.
  const [draft, setDraft] = useState<string | null>(null);
  const problemId = useId();
  const result = draft === null ? value : read(draft);
  const problem = typeof result === 'string' ? result : null;
  const take = () => {
    if (typeof result === 'number' && result !== value) onChange(result);
  };

  return (
    <span className="number-field">
      <input
        type="number"
        aria-label={name}
        aria-invalid={problem !== null}
        aria-describedby={[describedBy, problem ? problemId : ''].filter(Boolean).join(' ') || undefined}
        value={draft ?? shortest(value)}
        min={min}
        max={max}
        step={step}
        disabled={disabled}
        onChange={(event) => {
          const text = event.target.value;
          const read_ = read(text);
          setDraft(text);
          if (!whenDone && typeof read_ === 'number' && read_ !== value) onChange(read_);
        }}
        onBlur={() => {
          take();
          setDraft(problem ? draft : null);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !problem) {
            take();
            setDraft(null);
          }
          if (event.key === 'Escape') setDraft(null);
        }}
      />
      {problem && (
        <span id={problemId} className="field-problem" role="alert">
          {problem}
        </span>
      )}
    </span>
  );
}

/** Six significant digits fit the field; the value itself keeps all of its own until somebody types. */
function shortest(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
}
