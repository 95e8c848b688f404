import { Suspense, useMemo, useState } from 'react';
import { findByWeights } from '../../data/model-family';
import { FEWEST_SIZES } from '../../data/scaling-law';
import { prunedConfig } from '../../llama/config';
import { parameterCount } from '../../pruning/cost';
import { checkTarget } from '../../pruning/target-shape';
import { Modal } from '../controls/modal';
import { PanelBoundary } from '../controls/panel-boundary';
import { settingsShown } from '../core/lab-state';
import { useLabState } from '../lab-context';
import { lazyPart } from '../lazy-part';
import { useFamily } from '../use-family';
import { useSourceConfig } from '../use-source-config';
import { FieldSelect } from './field-select';

const scalingChart = lazyPart(() => import('../charts/scaling-chart').then((module) => module.ScalingChart));

/** What dynamic batch loading compares losses with, and what the family's scaling law has to say about it. */
export function ReferenceLosses() {
  const [open, setOpen] = useState(false);
  const { mode, referenceLosses } = useLabState((state) => settingsShown(state).mixture);
  const name = useLabState((state) => settingsShown(state).source);
  const source = useLabState((state) => (state.source?.name === name ? state.source : null));
  const models = useLabState((state) => state.models.length);
  if (mode !== 'dynamic') return null;

  const offered = Boolean(source?.card?.corpus_tokenizer_sha256) && models >= FEWEST_SIZES;
  return (
    <>
      {(offered || referenceLosses === 'scaling-law') && <FieldSelect name="mixture.referenceLosses" />}
      {offered ? (
        <button type="button" className="quiet beside" onClick={() => setOpen(true)}>
          The family’s scaling law
        </button>
      ) : (
        source &&
        models > 0 && (
          <p className="hint">
            Losses are compared with the source model’s own: a scaling law needs {FEWEST_SIZES} sizes of its
            family on this site.
          </p>
        )
      )}
      <Modal title="Reference losses" open={open} onClose={() => setOpen(false)}>
        <Law weightsSha256={source?.card?.weights_sha256 ?? null} />
      </Modal>
    </>
  );
}

function Law({ weightsSha256 }: { weightsSha256: string | null }) {
  const family = useFamily(weightsSha256);
  const target = useTargetParameters();
  if (!family) return <p>Loading the cards of the family…</p>;
  if ('message' in family) return <p>{family.message}</p>;
  return (
    <div className="scaling">
      <p>
        By domain, a/N<sup>b</sup> + c fitted to what the models of the family reach on the whole validation
        split, in nats a token; N counts all parameters. A run takes the law at the target’s size and adds
        what its own windows change in the source model’s loss.
      </p>
      <PanelBoundary title="The scaling law" onRetry={scalingChart.retry}>
        <Suspense fallback={<p className="waiting">Loading the chart…</p>}>
          <scalingChart.Part
            family={family.cards}
            source={findByWeights(family.cards, weightsSha256)?.name ?? ''}
            target={target}
          />
        </Suspense>
      </PanelBoundary>
    </div>
  );
}

/** The N of the target, where the source can be cut to it. */
function useTargetParameters(): number | null {
  const source = useSourceConfig();
  const { target, gates } = useLabState(settingsShown);
  return useMemo(
    () =>
      source && checkTarget(source, target, gates).length === 0
        ? parameterCount(prunedConfig(source, target))
        : null,
    [source, target, gates],
  );
}
