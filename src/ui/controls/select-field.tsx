import { useId } from 'react';

interface SelectFieldProps {
  label: string;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange(value: string): void;
  help?: string;
  /** The label stands above (a card) or beside (a form). */
  stacked?: boolean;
  extra?: React.ReactNode;
  /** Why it cannot be changed now, in one sentence. */
  fixed?: string | null;
}

/** The browser's own combobox: it works by keyboard, with screen readers and on a phone as people know it. */
export function SelectField({
  label,
  value,
  options,
  onChange,
  help,
  stacked,
  extra,
  fixed,
}: SelectFieldProps) {
  const id = useId();
  return (
    <div className={`select-field ${stacked ? 'stacked' : ''}`}>
      <label htmlFor={id} title={fixed ?? help}>
        {label}
        {extra}
      </label>
      <select
        id={id}
        value={value}
        disabled={Boolean(fixed)}
        title={fixed ?? undefined}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
