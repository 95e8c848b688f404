import { useId } from 'react';

interface SegmentedProps<Value extends string> {
  name: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChange(value: Value): void;
}

/** A few exclusive choices side by side: radio buttons, so that arrow keys and screen readers know them. */
export function Segmented<Value extends string>({ name, value, options, onChange }: SegmentedProps<Value>) {
  const group = useId();
  return (
    <span className="segmented" role="radiogroup" aria-label={name}>
      {options.map((option) => (
        <label key={option.value} className={option.value === value ? 'chosen' : ''}>
          <input
            type="radio"
            name={group}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </span>
  );
}
