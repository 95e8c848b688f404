import { kitMarkdown, parseKit } from '../../bench/kit';
import { readJson } from '../files';
import type { Answer, CommandInput } from '../command';

/** The tables of a kit.json. */
export async function kit({ positionals }: CommandInput): Promise<Answer> {
  const file = positionals[0]!;
  const parsed = parseKit(await readJson(file), file);
  return { json: parsed, text: kitMarkdown(parsed) };
}
