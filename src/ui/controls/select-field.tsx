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
}

/** The browser's own combobox: it works by keyboard, with screen readers and on a phone as people know it. */
export function SelectField({ label, value, options, onChange, help, stacked, extra }: SelectFieldProps) {
  const id = useId();
  return (
    <div className={`select-field ${stacked ? 'stacked' : ''}`}>
      <label htmlFor={id} title={help}>
        {label}
        {extra}
      </label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
