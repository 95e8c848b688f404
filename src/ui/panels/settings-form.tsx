import { useId } from 'react';
import { EXPERIMENT_FIELDS, groupOf, type Field, type FieldGroup } from '../../experiment/schema';
import { defaultOf, describeValue, getField, isDefault, readNumber } from '../core/field-value';
import { settingsShown } from '../core/lab-state';
import { actsOnRun, fixedBecause } from '../core/live-fields';
import { NumberField } from '../controls/number-field';
import { ResetDot } from '../controls/reset-dot';
import { useLab, useLabState } from '../lab-context';
import { WeightsField } from './weights-field';

/** Fields that stand elsewhere on the page. */
const ELSEWHERE = new Set([
  'source',
  'method',
  'pins',
  'retraining',
  'mixture.mode',
  'mixture.referenceLosses',
]);

const GROUPS: readonly { group: FieldGroup; title: string }[] = [
  { group: 'prune', title: 'Learning the masks' },
  { group: 'method', title: 'Gate sets' },
  { group: 'mixture', title: 'Domains and weights' },
  { group: 'retrain', title: 'After the cut' },
  { group: 'run', title: 'Data, evaluation, seed' },
];

/** Every other field of the table, group by group: the table is the form. */
export function SettingsForm() {
  const experiment = useLabState(settingsShown);
  // Manual weights are of no use while they are folded away.
  const opened = (group: FieldGroup) => group === 'mixture' && experiment.mixture.mode === 'manual';
  return (
    <div className="settings">
      {GROUPS.map(({ group, title }) => {
        const fields = EXPERIMENT_FIELDS.filter(
          (field) => groupOf(field) === group && !ELSEWHERE.has(field.key),
        );
        const changed = fields.filter((field) => !isDefault(experiment, field.key)).length;
        return (
          <details key={`${group}${opened(group)}`} open={opened(group)}>
            <summary>
              {title}
              {changed > 0 && <span className="tag">{changed} changed</span>}
            </summary>
            <div className="settings-fields">
              {fields.map((field) => (
                <SettingsField key={field.key} field={field} />
              ))}
            </div>
          </details>
        );
      })}
    </div>
  );
}

function SettingsField({ field }: { field: Field }) {
  const lab = useLab();
  const experiment = useLabState(settingsShown);
  const acts = useLabState(actsOnRun);
  const fixed = useLabState((state) => fixedBecause(state, field.key));
  const helpId = useId();
  const value = getField(experiment, field.key);
  const name = labelOf(field);

  const control = () => {
    switch (field.kind) {
      case 'boolean':
        return (
          <input
            type="checkbox"
            className="switch"
            role="switch"
            aria-label={name}
            aria-describedby={helpId}
            checked={value === true}
            disabled={fixed !== null}
            onChange={(event) => lab.setField(field.key, event.target.checked)}
          />
        );
      case 'integer':
      case 'number':
        return (
          <NumberField
            name={name}
            value={Number(value)}
            min={field.min}
            max={field.max}
            step={field.kind === 'integer' ? field.step : 'any'}
            read={(text) => readNumber(field, text)}
            onChange={(next) => lab.setField(field.key, next)}
            describedBy={helpId}
            disabled={fixed !== null}
            whenDone={acts}
          />
        );
      case 'weights':
      case 'pins':
      case 'choice':
      case 'name':
        return null;
    }
  };

  return (
    <div className="setting" data-fixed={fixed !== null} title={fixed ?? undefined}>
      <div className="setting-head">
        <span className="setting-label">
          {field.label}
          <ResetDot
            label={name}
            shown={!fixed && !isDefault(experiment, field.key)}
            to={describeValue(field, defaultOf(field))}
            onReset={() => lab.setField(field.key, defaultOf(field))}
          />
        </span>
        {control()}
      </div>
      <p id={helpId} className="setting-help">
        {field.help}
        {fixed && <em> {fixed}</em>}
      </p>
      {field.kind === 'weights' && Array.isArray(value) && (
        <WeightsField
          value={value.map(Number)}
          whenDone={acts}
          onChange={(next) => lab.setField(field.key, next)}
        />
      )}
    </div>
  );
}

/** The same label stands in two stages: the stage tells them apart for whoever cannot see the group. */
function labelOf(field: Field): string {
  if (field.key.startsWith('prune.')) return `${field.label} while learning masks`;
  if (field.key.startsWith('retrain.')) return `${field.label} after the cut`;
  return field.label;
}
