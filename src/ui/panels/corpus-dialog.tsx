import { useEffect, useState } from 'react';
import type { Contamination } from '../../data/contamination';
import type { CorpusManifest } from '../../data/corpus';
import { showCorpus } from '../commands/page-commands';
import { CommandButton } from '../controls/command-button';
import { Modal } from '../controls/modal';
import { formatCount, formatPercent } from '../core/format';
import { loadContamination } from '../site-files';
import { useCorpus } from '../use-corpus';
import { setView, useView } from '../view-store';

/** The longer of the measured runs: shorter ones are mostly set phrases. */
const RUN = 24;

/** The corpus: every domain, every source, its licence and its attribution. */
export function CorpusDialog() {
  const open = useView((view) => view.dialog === 'corpus');
  return (
    <>
      <CommandButton command={showCorpus} />
      <Modal title="Corpus" open={open} onClose={() => setView({ dialog: null })}>
        <CorpusText />
      </Modal>
    </>
  );
}

function CorpusText() {
  const corpus = useCorpus();
  const overlaps = useContamination();
  if (corpus.state === 'loading') return <p>Loading the corpus’ description…</p>;
  if (corpus.state === 'failed') return <p>{corpus.message}</p>;
  const { domains, tokenizer } = corpus.manifest;
  const tokens = domains.reduce((sum, domain) => sum + domain.train.tokens, 0);
  const splits = typeof overlaps === 'string' ? [] : (overlaps?.splits ?? []);
  return (
    <div className="corpus" tabIndex={0} role="group" aria-label="Domains and sources">
      <p>
        {domains.length} domains, {formatCount(tokens)} training tokens, a byte-level BPE vocabulary of{' '}
        {tokenizer.vocab_size.toLocaleString('en')}. Every source may be used and passed on freely; each keeps
        its own licence. Documents were split before anything else: runs train on one part, draw their curves
        on the second (validation), and never read the third (test), which is for tasks and the final
        evaluation.
      </p>
      {typeof overlaps === 'string' && <p>{overlaps}</p>}
      {domains.map((domain) => (
        <DomainText key={domain.name} domain={domain} overlaps={splits} />
      ))}
    </div>
  );
}

/** The report, null while it loads, or a sentence that says why there is none. */
function useContamination(): Contamination | string | null {
  const [report, setReport] = useState<Contamination | string | null>(null);
  useEffect(() => {
    let wanted = true;
    const settle = (result: Contamination | string) => wanted && setReport(result);
    loadContamination().then(settle, (error: unknown) =>
      settle(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      wanted = false;
    };
  }, []);
  return report;
}

function DomainText({
  domain,
  overlaps,
}: {
  domain: CorpusManifest['domains'][number];
  overlaps: Contamination['splits'];
}) {
  const measured = overlaps.filter((overlap) => overlap.domain === domain.name && overlap.run === RUN);
  return (
    <section>
      <h3>{domain.title}</h3>
      <p>{domain.description}</p>
      <p className="muted">
        {formatCount(domain.train.tokens)} training, {formatCount(domain.validation.tokens)} validation and{' '}
        {formatCount(domain.test.tokens)} test tokens; {formatPercent(domain.weight)} of the corpus’ own
        mixture
      </p>
      {measured.length > 0 && (
        <p className="muted">
          Runs of {RUN} tokens that training text of any domain holds, too:{' '}
          {measured.map(({ split, any }) => `${(100 * any).toFixed(2)} % of ${split}`).join(', ')}
        </p>
      )}
      <table>
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col">Version</th>
            <th scope="col">Licence</th>
            <th scope="col">Attribution</th>
          </tr>
        </thead>
        <tbody>
          {domain.sources.map((source) => (
            <tr key={source.package + source.name}>
              <th scope="row">{source.name}</th>
              <td>
                {source.version}
                <span className="muted package"> {source.package}</span>
              </td>
              <td>{source.licence}</td>
              <td>{source.attribution}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
