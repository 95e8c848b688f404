import { useState } from 'react';
import type { CorpusManifest } from '../../data/corpus';
import { Modal } from '../controls/modal';
import { formatCount, formatPercent } from '../core/format';
import { useCorpus } from '../use-corpus';

/** What the models read: every domain, every source, its licence and whom to thank. */
export function CorpusDialog() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Corpus
      </button>
      <Modal title="Corpus" open={open} onClose={() => setOpen(false)}>
        <CorpusText />
      </Modal>
    </>
  );
}

function CorpusText() {
  const corpus = useCorpus();
  if (corpus.state === 'loading') return <p>Loading the corpus’ description…</p>;
  if (corpus.state === 'failed') return <p>{corpus.message}</p>;
  const { domains, tokenizer } = corpus.manifest;
  const tokens = domains.reduce((sum, domain) => sum + domain.train.tokens, 0);
  return (
    <div className="corpus" tabIndex={0} role="group" aria-label="Domains and sources">
      <p>
        {domains.length} domains, {formatCount(tokens)} training tokens, a byte-level BPE vocabulary of{' '}
        {tokenizer.vocab_size.toLocaleString('en')}. Every source may be used and passed on freely; each keeps
        its own licence. Documents were split into training and validation before anything else.
      </p>
      {domains.map((domain) => (
        <DomainText key={domain.name} domain={domain} />
      ))}
    </div>
  );
}

function DomainText({ domain }: { domain: CorpusManifest['domains'][number] }) {
  return (
    <section>
      <h3>{domain.title}</h3>
      <p>{domain.description}</p>
      <p className="muted">
        {formatCount(domain.train.tokens)} training tokens, {formatCount(domain.validation.tokens)} validation
        tokens, {formatPercent(domain.weight)} of the corpus’ own mixture
      </p>
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
