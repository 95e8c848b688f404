import { z } from 'zod';
import { checked, InputError, parseJson } from '../formats/refusal';
import { fitScalingLaw, type ScalingLaw, type SizePoint } from './scaling-law';

/** Reads a file of the site by its path, such as models/index.json. */
export type SiteReader = (path: string) => Promise<ArrayBuffer>;

/** An entry of models/index.json: what a visitor chooses by, before anything of the model is downloaded. */
export interface ListedModel {
  /** Folder under models/. */
  name: string;
  title: string;
  description: string;
  /** All parameters, embeddings included. */
  parameters: number;
  /** Of model.safetensors: what opening the model downloads. */
  bytes: number;
}

/** models/NAME/card.json: what a model is and what it reached. */
export interface ModelCard {
  name: string;
  /** All parameters, embeddings included. */
  parameters: number;
  tokens_trained: number;
  /** Tokens in a window, in training and in the measurement below. */
  context: number;
  /** Nats a token by domain over its whole validation split. */
  validation_loss: Record<string, number>;
  corpus_tokenizer_sha256?: string | undefined;
  /** What the model is known by (src/formats/weights-hash.ts). */
  weights_sha256?: string | undefined;
}

const count = z.int().positive();

const modelListSchema: z.ZodType<ListedModel[]> = z
  .array(
    z.object({
      name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
      title: z.string().max(80),
      description: z.string().max(400),
      parameters: count,
      bytes: count,
    }),
  )
  .min(1)
  .max(100);

const cardSchema: z.ZodType<ModelCard> = z.object({
  name: z.string().max(80),
  parameters: count,
  tokens_trained: z.number().nonnegative(),
  context: count,
  validation_loss: z.record(z.string().max(80), z.number().positive()),
  corpus_tokenizer_sha256: z.string().max(80).optional(),
  weights_sha256: z.string().max(80).optional(),
});

/** The models of the site, smallest first. @throws InputError; whatever `read` throws. */
export async function readModelList(read: SiteReader): Promise<ListedModel[]> {
  const path = 'models/index.json';
  const list = checked(modelListSchema, parseJson(await read(path), path), path);
  return list.sort((a, b) => a.parameters - b.parameters);
}

/** A model's card; null when it has none that can be read: it says something about a model, it is not one. */
export async function readModelCard(read: SiteReader, name: string): Promise<ModelCard | null> {
  try {
    return cardSchema.safeParse(parseJson(await read(`models/${name}/card.json`), 'card.json')).data ?? null;
  } catch {
    return null;
  }
}

/** The cards of the site's models that have one. @throws InputError when the list of models is damaged */
async function readCards(read: SiteReader): Promise<ModelCard[]> {
  const list = await readModelList(read);
  const cards = await Promise.all(list.map(({ name }) => readModelCard(read, name)));
  return cards.filter((card) => card !== null);
}

/**
 * The card of the model with these weights, whatever its folder is called; null when the site has none.
 *
 * @param weightsSha256 as `weightsHash` gives it; null: not known, so there is none
 * @throws InputError when the list of models is damaged; whatever `read` throws for it.
 */
export async function findModelCard(
  read: SiteReader,
  weightsSha256: string | null,
): Promise<ModelCard | null> {
  return findByWeights(await readCards(read), weightsSha256);
}

/** The card with these weights; null when there is none. */
export function findByWeights(cards: readonly ModelCard[], weightsSha256: string | null): ModelCard | null {
  if (weightsSha256 === null) return null;
  return cards.find(({ weights_sha256 }) => weights_sha256 === weightsSha256) ?? null;
}

/** Token budgets of one family differ by less than this share: a step more or less. */
const SAME_BUDGET = 0.01;

/**
 * The cards of the model with these weights and of its relatives, smallest first: the same tokenizer, losses over
 * windows of the same length, and as many training tokens, so that losses differ by size alone. Empty when it is
 * no model of the site or has no such card.
 *
 * @throws InputError when the list of models is damaged; whatever `read` throws for it.
 */
export async function readFamily(read: SiteReader, weightsSha256: string | null): Promise<ModelCard[]> {
  const cards = await readCards(read);
  const own = findByWeights(cards, weightsSha256);
  if (!own?.corpus_tokenizer_sha256) return [];
  return cards
    .filter(
      ({ corpus_tokenizer_sha256, context, tokens_trained }) =>
        corpus_tokenizer_sha256 === own.corpus_tokenizer_sha256 &&
        context === own.context &&
        Math.abs(tokens_trained - own.tokens_trained) <= SAME_BUDGET * own.tokens_trained,
    )
    .sort((a, b) => a.parameters - b.parameters);
}

/** What a family reaches in one domain, and the law that these losses follow, or why there is none. */
export interface DomainFit {
  domain: string;
  points: SizePoint[];
  fit: { law: ScalingLaw } | { problem: string };
}

/** The fit of every domain that all members were measured in. */
export function fitFamily(family: readonly ModelCard[]): DomainFit[] {
  const domains = Object.keys(family[0]?.validation_loss ?? {});
  return domains
    .filter((domain) => family.every((card) => domain in card.validation_loss))
    .map((domain) => {
      const points = family.map(({ parameters, validation_loss }) => ({
        parameters,
        loss: validation_loss[domain]!,
      }));
      return { domain, points, fit: tryFit(points) };
    });
}

function tryFit(points: readonly SizePoint[]): DomainFit['fit'] {
  try {
    return { law: fitScalingLaw(points) };
  } catch (error) {
    if (error instanceof InputError) return { problem: error.message };
    throw error;
  }
}

/** Whether a size lies outside of the family's own, so that a law says more than was measured. */
export function isExtrapolated(family: readonly { parameters: number }[], parameters: number): boolean {
  return (
    family.every((card) => card.parameters > parameters) ||
    family.every((card) => card.parameters < parameters)
  );
}
