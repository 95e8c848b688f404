import { useEffect, useState } from 'react';
import { encodePermalink } from '../../experiment/permalink';
import { useLab } from '../lab-context';
import { type Example, loadExamples } from '../site-files';

/** Whole experiments to start from. Without them the bench works all the same, so their absence is silent. */
export function Examples() {
  const lab = useLab();
  const [examples, setExamples] = useState<readonly Example[]>([]);
  useEffect(() => {
    loadExamples().then(setExamples, () => undefined);
  }, []);
  if (examples.length === 0) return null;
  return (
    <p className="presets">
      Or begin with{' '}
      {examples.map((example, i) => (
        <span key={example.title}>
          {i > 0 && ', '}
          <a
            href={`?${encodePermalink({ experiment: example.experiment, interventions: [] })}`}
            title={example.description}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              lab.setPlan({ experiment: example.experiment, interventions: [] });
            }}
          >
            {example.title.charAt(0).toLowerCase() + example.title.slice(1)}
          </a>
        </span>
      ))}
      .
    </p>
  );
}
