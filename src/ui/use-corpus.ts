import { create } from 'zustand';
import { useEffect } from 'react';
import type { CorpusManifest } from '../data/corpus';
import { loadCorpusManifest } from './site-files';

type CorpusState =
  { state: 'loading' } | { state: 'open'; manifest: CorpusManifest } | { state: 'failed'; message: string };

const useCorpusStore = create<{ value: CorpusState; asked: boolean }>(() => ({
  value: { state: 'loading' },
  asked: false,
}));

/** The corpus' description, loaded when the first component wants it. */
export function useCorpus(): CorpusState {
  const { value, asked } = useCorpusStore();
  useEffect(() => {
    if (asked || useCorpusStore.getState().asked) return;
    useCorpusStore.setState({ asked: true });
    loadCorpusManifest().then(
      (manifest) => useCorpusStore.setState({ value: { state: 'open', manifest } }),
      (error: unknown) =>
        useCorpusStore.setState({
          value: { state: 'failed', message: error instanceof Error ? error.message : String(error) },
        }),
    );
  }, [asked]);
  return value;
}
