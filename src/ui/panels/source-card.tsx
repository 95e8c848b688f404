import { useRef, useState } from 'react';
import { shapeOf } from '../../llama/config';
import { formatBytes, formatCount, formatPerplexity } from '../core/format';
import { describeShape, meanOf } from '../core/run-record';
import { SelectField } from '../controls/select-field';
import { settingsShown } from '../core/lab-state';
import { fixedBecause } from '../core/live-fields';
import { useLab, useLabState } from '../lab-context';

const OPEN_FOLDER = 'open-a-folder';

/** Which model is pruned, what it is, and where it came from. */
export function SourceCard() {
  const lab = useLab();
  const wanted = useLabState((state) => settingsShown(state).source);
  const source = useLabState((state) => state.source);
  const models = useLabState((state) => state.models);
  const fixed = useLabState((state) => fixedBecause(state, 'source'));
  const [choosing, setChoosing] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  const listed = models.find((model) => model.name === wanted);
  const options = [
    ...models.map(({ name, title, parameters, bytes }) => ({
      value: name,
      label: `${title} · ${formatCount(parameters)} parameters · ${formatBytes(bytes)}`,
    })),
    ...(listed ? [] : [{ value: wanted, label: wanted === 'local' ? 'From a folder' : wanted }]),
    { value: OPEN_FOLDER, label: 'Open a folder…' },
  ];
  const card = source?.name === wanted ? source.card : null;
  const losses = card ? Object.values(card.validation_loss) : [];

  return (
    <div className="source-card">
      <SelectField
        label="Source model"
        stacked
        fixed={fixed}
        value={choosing ? OPEN_FOLDER : wanted}
        options={options}
        onChange={(value) => {
          if (value === OPEN_FOLDER) {
            setChoosing(true);
            input.current?.click();
            return;
          }
          setChoosing(false);
          lab.chooseSource(value);
        }}
      />
      <div hidden={!choosing} className="folder">
        <label>
          <span>Folder with config.json, model.safetensors and tokenizer.json</span>
          <input
            ref={(element) => {
              input.current = element;
              // React knows no such property: a folder is chosen as a whole where the browser can.
              element?.setAttribute('webkitdirectory', '');
            }}
            type="file"
            multiple
            aria-label="Model folder"
            onChange={(event) => {
              const files = [...(event.target.files ?? [])];
              event.target.value = '';
              if (files.length === 0) return;
              setChoosing(false);
              void lab.openFiles(files);
            }}
          />
        </label>
      </div>
      {source?.name === wanted ? (
        <dl className="facts">
          <div>
            <dt>Shape</dt>
            <dd>{describeShape(shapeOf(source.config))}</dd>
          </div>
          <div>
            <dt>Parameters</dt>
            <dd>
              {formatCount(source.parameters)}
              {card && ` · trained on ${formatCount(card.tokens_trained)} tokens`}
            </dd>
          </div>
          {losses.length > 0 && (
            <div>
              <dt>Perplexity</dt>
              <dd>{formatPerplexity(meanOf(losses))} over its domains</dd>
            </div>
          )}
        </dl>
      ) : (
        listed && <p className="source-text">{listed.description}</p>
      )}
    </div>
  );
}
