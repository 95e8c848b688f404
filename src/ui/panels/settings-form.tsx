import { useId } from 'react';
import { isRelevant } from '../../experiment/relevance';
import {
  EXPERIMENT_FIELDS,
  groupOf,
  type Experiment,
  type Field,
  type FieldGroup,
} from '../../experiment/schema';
import { defaultOf, describeValue, getField, isDefault, readNumber, titleOf } from '../core/field-value';
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

const GROUPS: readonly { group: FieldGroup; title: string | ((settings: Experiment) => string) }[] = [
  { group: 'prune', title: 'Learning the masks' },
  {
    group: 'scores',
    title: (settings) =>
      isRelevant('scores', settings) ? 'Scores and calibration text' : 'Calibration text',
  },
  { group: 'method', title: 'What may be cut' },
  { group: 'mixture', title: 'Domains and weights' },
  {
    group: 'retrain',
    // A mask that closes over some steps trains on the same schedule.
    title: ({ method, scores }) =>
      method === 'one-shot' && scores.steps > 0 ? 'Training, before and after the cut' : 'After the cut',
  },
  { group: 'adapters', title: 'Low-rank adapters' },
  { group: 'distillation', title: 'Distillation' },
  { group: 'run', title: 'Data, evaluation, seed' },
];

/** Every other field of the table that has an effect now, group by group: the table is the form. */
export function SettingsForm() {
  const experiment = useLabState(settingsShown);
  // Manual weights are of no use while they are folded away.
  const opened = (group: FieldGroup) => group === 'mixture' && experiment.mixture.mode === 'manual';
  return (
    <div className="settings">
      {GROUPS.map(({ group, title }) => {
        const fields = EXPERIMENT_FIELDS.filter(
          (field) =>
            groupOf(field) === group && !ELSEWHERE.has(field.key) && isRelevant(field.key, experiment),
        );
        if (fields.length === 0) return null;
        const changed = fields.filter((field) => !isDefault(experiment, field.key)).length;
        return (
          <details key={`${group}${opened(group)}`} open={opened(group)}>
            <summary>
              {typeof title === 'string' ? title : title(experiment)}
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
      <WithoutEffect experiment={experiment} />
    </div>
  );
}

/** What was set and has no effect now is not in the form, but stays as it is, in the link too: it is named. */
function WithoutEffect({ experiment }: { experiment: Experiment }) {
  const idle = EXPERIMENT_FIELDS.filter(
    ({ key }) => !isRelevant(key, experiment) && !isDefault(experiment, key),
  );
  if (idle.length === 0) return null;
  return (
    <p className="setting-help without-effect">
      Kept, without effect now:{' '}
      {idle
        .map((field) => `${titleOf(field)} ${describeValue(field, getField(experiment, field.key))}`)
        .join(', ')}
    </p>
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
      case 'choice':
        return (
          <select
            aria-label={name}
            aria-describedby={helpId}
            value={String(value)}
            disabled={fixed !== null}
            onChange={(event) => lab.setField(field.key, event.target.value)}
          >
            {field.options.map((option) => (
              <option key={option.value} value={option.value}>
                {option.label}
              </option>
            ))}
          </select>
        );
      case 'weights':
      case 'pins':
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
  if (groupOf(field) === 'adapters' || groupOf(field) === 'distillation') return titleOf(field);
  return field.label;
}
