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
    <details className="examples">
      <summary>Or begin with one of {examples.length} examples</summary>
      <ul>
        {examples.map(({ title, description, experiment }) => (
          <li key={title}>
            <a
              href={`?${encodePermalink({ experiment, interventions: [] })}`}
              onClick={(event) => {
                if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                event.preventDefault();
                lab.setPlan({ experiment, interventions: [] });
              }}
            >
              {title}
            </a>
            <p>{description}</p>
          </li>
        ))}
      </ul>
    </details>
  );
}
