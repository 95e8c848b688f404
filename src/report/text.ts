import { parseCorpusManifest, readHeldOut, type Corpus } from '../data/corpus';
import type { SiteReader } from '../data/model-family';
import { evaluationWindows } from '../data/sampler';
import { parseJson } from '../formats/refusal';
import type { WindowSet } from '../llama/evaluate';

/** A domain's test text in windows. */
export interface TestText {
  name: string;
  title: string;
  windows: WindowSet;
}

/**
 * The test split of every domain: held out from training, from the mixture and from every choice of a setting.
 *
 * @param count at most so many windows of each domain, spread evenly
 * @throws InputError when a file is not what the manifest says; whatever `read` throws.
 */
export async function readTestText(
  read: SiteReader,
  { domains }: Corpus,
  context: number,
  count: number,
): Promise<TestText[]> {
  const readFile = (path: string) => read(`corpus/${path}`);
  const manifest = parseCorpusManifest(parseJson(await readFile('manifest.json'), 'manifest.json'));
  return Promise.all(
    domains.map(async (domain) => {
      const text = await readHeldOut(readFile, manifest, domain.name, 'test');
      // The test split in the place of the one that the run evaluated on.
      const windows = evaluationWindows({ ...domain, validation: text }, context, count);
      return { name: domain.name, title: domain.title, windows };
    }),
  );
}
