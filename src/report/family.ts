import { readFamily, type ModelCard, type SiteReader } from '../data/model-family';
import { parseLlamaConfig, readModelFolder } from '../formats/hugging-face';
import { parseJson } from '../formats/refusal';
import type { LlamaConfig } from '../llama/config';
import { packParameters, parameterLayout, type FlatModel } from '../llama/parameters';
import { blockParameterCount } from '../pruning/cost';

/**
 * The member of the family of the model with these weights whose blocks have most nearly as many parameters as the target's, by their
 * ratio. Reads cards and configurations only. Null when the source has no family on this site.
 *
 * @param context positions that it must have
 * @throws InputError when a configuration is damaged; whatever `read` throws.
 */
export async function closestMember(
  read: SiteReader,
  weightsSha256: string | null,
  target: LlamaConfig,
  context: number,
): Promise<{ card: ModelCard; config: LlamaConfig } | null> {
  const members = (await readFamily(read, weightsSha256)).map(async (card) => {
    const path = `models/${card.name}/config.json`;
    const config = parseLlamaConfig(parseJson(await read(path), path));
    return { card, config };
  });
  const distance = (config: LlamaConfig) =>
    Math.abs(Math.log(blockParameterCount(config) / blockParameterCount(target)));
  const [closest] = (await Promise.all(members))
    .filter(({ config }) => config.maxPositionEmbeddings >= context)
    .sort((a, b) => distance(a.config) - distance(b.config));
  return closest ?? null;
}

/** A bundled model's weights. @throws InputError when its files are damaged; whatever `read` throws. */
export async function readMember(read: SiteReader, name: string): Promise<FlatModel> {
  const files = ['config.json', 'model.safetensors'].map(async (file) => ({
    name: file,
    bytes: await read(`models/${name}/${file}`),
  }));
  const { config, tensors } = readModelFolder(await Promise.all(files));
  return { config, parameters: packParameters(parameterLayout(config), tensors) };
}
