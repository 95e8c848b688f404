import { z } from 'zod';
import { type Experiment, experimentSchema } from '../experiment/schema';
import { type Contamination, contaminationSchema } from '../data/contamination';
import { type CorpusManifest, corpusManifestSchema } from '../data/corpus';
import { createSiteReader } from '../session/site-files';

/** A file of the site as JSON, or one sentence. A static host may answer a missing file with its start page. */
async function readJson(path: string, what: string): Promise<unknown> {
  const response = await fetch(path).catch(() => null);
  const page = response?.headers.get('content-type')?.startsWith('text/html') ?? false;
  if (!response?.ok || page) throw new Error(`${what} could not be loaded: check the connection and reload.`);
  try {
    return await response.json();
  } catch {
    throw new Error(`${what} is not JSON: the site is damaged, fetch it again.`);
  }
}

/** Files of the site for readers that the engine has as well. */
export const readSite = createSiteReader(
  () => location.href,
  (input, init) => fetch(input, init),
);

const exampleListSchema = z
  .array(
    z.looseObject({
      file: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}\.json$/),
      title: z.string().max(60),
      description: z.string().max(300),
    }),
  )
  .max(50);

export interface Example {
  title: string;
  description: string;
  experiment: Experiment;
}

/** The experiments that come with the site; one that cannot be read is left out. @throws Error of one sentence. */
export async function loadExamples(): Promise<Example[]> {
  const list = exampleListSchema.parse(await readJson('experiments/index.json', 'The list of examples'));
  const read = list.map(async ({ file, title, description }): Promise<Example[]> => {
    const result = experimentSchema.safeParse(await readJson(`experiments/${file}`, title));
    return result.success ? [{ title, description, experiment: result.data }] : [];
  });
  return (await Promise.all(read)).flat();
}

/** @throws Error of one sentence. */
export async function loadCorpusManifest(): Promise<CorpusManifest> {
  const result = corpusManifestSchema.safeParse(
    await readJson('corpus/manifest.json', 'The corpus’ description'),
  );
  if (!result.success) throw new Error('The corpus’ description (corpus/manifest.json) is damaged.');
  return result.data;
}

/** @throws Error of one sentence. */
export async function loadContamination(): Promise<Contamination> {
  const result = contaminationSchema.safeParse(
    await readJson('corpus/contamination.json', 'The report on overlaps'),
  );
  if (!result.success) throw new Error('The report on overlaps (corpus/contamination.json) is damaged.');
  return result.data;
}

/** The run that comes with the page, not yet checked. @throws Error of one sentence. */
export const loadRecordedRun = (): Promise<unknown> => readJson('recorded/run.json', 'The recorded run');
