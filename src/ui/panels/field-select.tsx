import { defaultOf, describeValue, fieldOf, getField, isDefault } from '../core/field-value';
import { settingsShown } from '../core/lab-state';
import { fixedBecause } from '../core/live-fields';
import { ResetDot } from '../controls/reset-dot';
import { SelectField } from '../controls/select-field';
import { useLab, useLabState } from '../lab-context';

/** A combobox for one field of the experiment with a fixed choice. */
export function FieldSelect({ name }: { name: string }) {
  const lab = useLab();
  const experiment = useLabState(settingsShown);
  const fixed = useLabState((state) => fixedBecause(state, name));
  const field = fieldOf(name);
  if (field.kind !== 'choice') return null;
  return (
    <SelectField
      label={field.label}
      help={field.help}
      fixed={fixed}
      value={String(getField(experiment, name))}
      options={field.options}
      onChange={(value) => lab.setField(name, value)}
      extra={
        <ResetDot
          label={field.label}
          shown={!fixed && !isDefault(experiment, name)}
          to={describeValue(field, defaultOf(field))}
          onReset={() => lab.setField(name, defaultOf(field))}
        />
      }
    />
  );
}
