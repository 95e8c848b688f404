import { fieldOf, getField } from '../core/field-value';
import { defaultOf, isDefault, describeValue } from '../core/field-value';
import { ResetDot } from '../controls/reset-dot';
import { SelectField } from '../controls/select-field';
import { useLab, useLabState } from '../lab-context';

/** A combobox for one field of the experiment with a fixed choice. */
export function FieldSelect({ name }: { name: string }) {
  const lab = useLab();
  const experiment = useLabState((state) => state.experiment);
  const field = fieldOf(name);
  if (field.kind !== 'choice') return null;
  return (
    <SelectField
      label={field.label}
      help={field.help}
      value={String(getField(experiment, name))}
      options={field.options}
      onChange={(value) => lab.setField(name, value)}
      extra={
        <ResetDot
          label={field.label}
          shown={!isDefault(experiment, name)}
          to={describeValue(field, defaultOf(field))}
          onReset={() => lab.setField(name, defaultOf(field))}
        />
      }
    />
  );
}
