import { openCorpus, type Corpus, type CorpusReader } from '../data/corpus';
import { checkCorpusFits, readCorpusTokenizer } from '../data/corpus-fit';
import { post, type LabState, type OpenSource } from './environment';

/** Reads each file of the corpus once: bytes are kept, what is made of them depends on the run. */
function cachedReader({ environment, corpusFiles }: LabState): CorpusReader {
  return (path) => {
    let bytes = corpusFiles.get(path);
    if (!bytes) {
      bytes = environment.read(`corpus/${path}`);
      corpusFiles.set(path, bytes);
      bytes.catch(() => corpusFiles.delete(path));
    }
    return bytes;
  };
}

/**
 * The corpus with exactly the shards that `trainTokens` asks for, whatever was loaded before: the windows
 * that a run draws depend on how much text there is.
 *
 * @throws one sentence when a file is not to be had, or the corpus does not fit the model.
 */
export async function loadCorpus(state: LabState, source: OpenSource, trainTokens: number): Promise<Corpus> {
  const read = cachedReader(state);
  const { corpus, manifest } = await openCorpus(read, {
    trainTokens,
    onProgress(loaded, total) {
      const done = loaded / total;
      post(state, { type: 'activity', what: 'Loading the corpus', done, total: 1, secondsLeft: null });
    },
  });
  checkCorpusFits(source.config, source.tokenizer, await readCorpusTokenizer(read, manifest));
  return corpus;
}
