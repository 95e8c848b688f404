import { z } from 'zod';
import type { LlamaConfig } from '../llama/config';
import { readJson } from './files';

/** Token sequences of a JSON file. @throws one sentence that names the option. */
export async function readSequences(
  option: string,
  file: string,
  { vocabSize, maxPositionEmbeddings }: LlamaConfig,
): Promise<number[][]> {
  const token = z
    .int()
    .min(0)
    .max(vocabSize - 1);
  const parsed = z
    .array(z.array(token).min(2).max(maxPositionEmbeddings))
    .min(1)
    .safeParse(await readJson(file));
  if (parsed.success) return parsed.data;
  throw new Error(
    `${option} ${file} must be a JSON array of token sequences, each of 2 to ${maxPositionEmbeddings} ids from 0 to ${vocabSize - 1}.`,
  );
}
