import { useCorpus } from '../use-corpus';
import { NumberField } from '../controls/number-field';

interface WeightsFieldProps {
  /** Empty: the corpus' own proportions. */
  value: readonly number[];
  onChange(value: number[]): void;
  /** A typed weight is taken when it is done. */
  whenDone: boolean;
}

/** A weight for every domain of the corpus. */
export function WeightsField({ value, onChange, whenDone }: WeightsFieldProps) {
  const corpus = useCorpus();
  if (corpus.state !== 'open') {
    return (
      <p className="setting-help">
        {corpus.state === 'loading' ? 'Loading the corpus’ description…' : corpus.message}
      </p>
    );
  }
  const own = corpus.manifest.domains.map((domain) => domain.weight);
  const shown = own.map((weight, i) => value[i] ?? weight);
  return (
    <div className="weights">
      {corpus.manifest.domains.map((domain, i) => (
        <label key={domain.name}>
          <span>{domain.title}</span>
          <NumberField
            name={`Weight of ${domain.title}`}
            value={shown[i] ?? 0}
            min={0}
            max={1000}
            step="any"
            whenDone={whenDone}
            read={(text) => {
              const weight = text.trim() === '' ? Number.NaN : Number(text);
              if (!(weight >= 0 && weight <= 1000)) return 'A weight is a number from 0 to 1000.';
              if (weight === 0 && shown.every((other, j) => j === i || other === 0)) {
                return 'At least one weight must be above 0.';
              }
              return weight;
            }}
            onChange={(weight) => onChange(shown.map((other, j) => (j === i ? weight : other)))}
          />
        </label>
      ))}
    </div>
  );
}
