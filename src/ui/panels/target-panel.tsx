import { cutConfig } from '../../run/cut-config';
import { type MouseEvent, useMemo } from 'react';
import { encodePermalink } from '../../experiment/permalink';
import type { Experiment } from '../../experiment/schema';
import { type TargetShape } from '../../llama/config';
import {
  checkTarget,
  GATE_SET_OF,
  legalSteps,
  type LegalSteps,
  TARGET_FIELDS,
  type TargetField,
  TARGET_PRESETS,
  defaultTarget,
} from '../../pruning/target-shape';
import { fieldOf, readNumber } from '../core/field-value';
import { settingsShown } from '../core/lab-state';
import { actsOnRun, fixedBecause } from '../core/live-fields';
import { ghostShape } from '../core/ghost-shape';
import { formatNumber } from '../core/format';
import { Panel } from '../controls/panel';
import { RulerSlider } from '../controls/ruler-slider';
import { useLab, useLabState } from '../lab-context';
import { useSourceConfig } from '../use-source-config';
import { Costs } from './costs';
import { DraftBar } from './draft-bar';
import { Examples } from './examples';
import { FieldSelect } from './field-select';
import { ReferenceLosses } from './reference-losses';
import { SettingsForm } from './settings-form';
import { SourceCard } from './source-card';

/** What to make: source model, target shape and everything else that an experiment says. */
export function TargetPanel() {
  const lab = useLab();
  const experiment = useLabState(settingsShown);
  const acts = useLabState(actsOnRun);
  const fixed = useLabState((state) => fixedBecause(state, 'target.hiddenSize'));
  const source = useSourceConfig();
  const { target, gates } = experiment;
  const problems = useMemo(() => (source ? checkTarget(source, target, gates) : []), [source, target, gates]);
  const steps = useMemo(() => (source ? legalSteps(source) : null), [source]);
  const defaults = useMemo(() => (source ? defaultTarget(source) : null), [source]);

  return (
    <Panel title="Target shape" className="target">
      <DraftBar />
      <SourceCard />
      {steps && defaults && source ? (
        <>
          <div className="rulers">
            {TARGET_FIELDS.map((name) => {
              const field = fieldOf(`target.${name}`);
              if (field.kind !== 'integer') return null;
              return (
                <RulerSlider
                  key={name}
                  label={field.label}
                  value={target[name]}
                  steps={steps[name]}
                  fixed={
                    fixed ??
                    (gates[GATE_SET_OF[name]] ? null : 'Its gates are off, so it keeps the source’s size.')
                  }
                  whenDone={acts}
                  ghost={<Ghost field={name} steps={steps[name]} />}
                  fallback={defaults[name]}
                  problem={problems.find((problem) => problem.field === name)?.message ?? null}
                  read={(text) => {
                    const value = readNumber(field, text);
                    if (typeof value === 'string') return value;
                    const wrong = checkTarget(source, { ...target, [name]: value }, gates);
                    return wrong.find((problem) => problem.field === name)?.message ?? value;
                  }}
                  onChange={(value) => lab.setTarget({ ...target, [name]: value })}
                />
              );
            })}
          </div>
          {problems.length === 0 && (
            <Costs
              source={source}
              pruned={cutConfig(source, { ...experiment, target })}
              experiment={experiment}
            />
          )}
          <Presets experiment={experiment} onTarget={lab.setTarget} />
          <Examples />
        </>
      ) : (
        <p className="waiting">The sliders appear when the source model’s shape is known.</p>
      )}
      <div className="choices">
        <FieldSelect name="method" />
        <FieldSelect name="retraining" />
        <FieldSelect name="mixture.mode" />
        <ReferenceLosses />
      </div>
      <SettingsForm />
    </Panel>
  );
}

/** Where the shown run's own target stands on the ruler. */
function Ghost({ field, steps }: { field: TargetField; steps: LegalSteps }) {
  const size = useLabState((state) => ghostShape(state)?.[field] ?? null);
  if (size === null) return null;
  const { min } = steps.slider;
  const share = Math.min(1, Math.max(0, (size - min) / Math.max(1, steps.max - min)));
  return (
    <i
      className="ruler-ghost"
      style={{ left: `${share * 100}%` }}
      title={`The run’s target now: ${formatNumber(size)}`}
    />
  );
}

function Presets({ experiment, onTarget }: { experiment: Experiment; onTarget(target: TargetShape): void }) {
  const source = useSourceConfig();
  if (!source) return null;
  const follow = (event: MouseEvent, target: TargetShape) => {
    // With a modifier key it stays a link, which opens a second bench beside this one.
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    onTarget(target);
  };
  return (
    <p className="presets">
      Make it{' '}
      {TARGET_PRESETS.map((preset, i) => {
        const target = preset.target(source);
        return (
          <span key={preset.id}>
            {i > 0 && (i === TARGET_PRESETS.length - 1 ? ' or ' : ', ')}
            <a
              href={`?${encodePermalink({ experiment: { ...experiment, target }, interventions: [] })}`}
              onClick={(event) => follow(event, target)}
            >
              {preset.label}
            </a>
          </span>
        );
      })}
      .
    </p>
  );
}
