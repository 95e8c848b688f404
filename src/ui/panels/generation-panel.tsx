import { useState } from 'react';
import { findJob, findRun, type Written } from '../core/lab-state';
import { hasModels } from '../core/run-record';
import { formatNumber } from '../core/format';
import { NumberField } from '../controls/number-field';
import { Panel } from '../controls/panel';
import { useLab, useLabState } from '../lab-context';

const FIRST_PROMPT = 'The people of the United States';

/** A number field's reader for plain settings of this panel. */
const within = (label: string, min: number, max: number, whole: boolean) => (text: string) => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const fits = value >= min && value <= max && (!whole || Number.isInteger(value));
  return fits ? value : `${label} takes ${whole ? 'a whole number' : 'a number'} from ${min} to ${max}.`;
};

/** Source and pruned model write on from the same words, side by side. */
export function GenerationPanel() {
  const lab = useLab();
  const generation = useLabState((state) => state.generation);
  const ready = useLabState((state) => state.source !== null && state.engine.state === 'open');
  const hasPruned = useLabState((state) => hasModels(findRun(state, state.shownRun)));
  const running = useLabState((state) => state.status === 'running');
  const writing = useLabState((state) => findJob(state, 'generate') !== null);
  const [prompt, setPrompt] = useState(FIRST_PROMPT);
  const [temperature, setTemperature] = useState(0.8);
  const [maxTokens, setMaxTokens] = useState(80);
  const [seed, setSeed] = useState(1);

  // What another run wrote is not this run's.
  const shownRun = useLabState((state) => state.shownRun);
  const ofShown = generation?.run === shownRun ? generation : null;

  return (
    <Panel title="Generation" className="generation">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (writing) lab.cancel('generate');
          else lab.generate({ prompt, temperature, maxTokens, seed });
        }}
      >
        <textarea
          aria-label="Prompt"
          rows={2}
          maxLength={2000}
          value={prompt}
          onChange={(event) => setPrompt(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey))
              event.currentTarget.form?.requestSubmit();
          }}
        />
        <div className="generation-settings">
          <label>
            <span>Temperature</span>
            <NumberField
              name="Temperature"
              value={temperature}
              min={0}
              max={2}
              step={0.1}
              read={within('Temperature', 0, 2, false)}
              onChange={setTemperature}
            />
          </label>
          <label>
            <span>Tokens</span>
            <NumberField
              name="Tokens to write"
              value={maxTokens}
              min={1}
              max={400}
              step={1}
              read={within('Tokens', 1, 400, true)}
              onChange={setMaxTokens}
            />
          </label>
          <label>
            <span>Seed</span>
            <NumberField
              name="Seed of the text"
              value={seed}
              min={0}
              max={4294967295}
              step={1}
              read={within('Seed', 0, 4294967295, true)}
              onChange={setSeed}
            />
          </label>
          <button type="submit" className="primary" disabled={!ready || prompt.trim() === ''}>
            {writing ? 'Stop writing' : 'Write'}
          </button>
        </div>
      </form>
      <div className="outputs">
        <Output
          title="Source"
          prompt={generation?.prompt ?? prompt}
          written={generation?.source ?? null}
          empty={ready ? 'Press Write.' : 'Writes as soon as the model is open.'}
        />
        <Output
          title="Pruned"
          prompt={ofShown?.prompt ?? prompt}
          written={ofShown?.pruned ?? null}
          empty={
            hasPruned
              ? 'Press Write.'
              : running
                ? 'Writes when the model is cut to shape.'
                : 'Prune first; then both write.'
          }
        />
      </div>
    </Panel>
  );
}

function Output({
  title,
  prompt,
  written,
  empty,
}: {
  title: string;
  prompt: string;
  written: Written | null;
  empty: string;
}) {
  return (
    <article className="output" aria-label={`${title} model`}>
      <h3>
        {title}
        {written && written.tokensPerSecond > 0 && (
          <span className="muted">{formatNumber(written.tokensPerSecond)} tokens/s</span>
        )}
      </h3>
      <div
        className="output-text"
        tabIndex={0}
        role="group"
        aria-label={`Text of the ${title.toLowerCase()} model`}
      >
        {written ? (
          <p>
            <span className="prompt">{prompt}</span>
            <span className="continuation">{written.text}</span>
            {!written.done && <i className="caret" aria-hidden="true" />}
          </p>
        ) : (
          <p className="muted">{empty}</p>
        )}
      </div>
    </article>
  );
}
