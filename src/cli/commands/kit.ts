import { kitMarkdown, parseKit } from '../../bench/kit';
import { readJson } from '../files';
import type { Answer, Command, CommandInput } from '../command';

export const kit: Command = {
  name: 'kit',
  argument: { name: 'KIT.json' },
  summary: 'the tables of what `npm run gpu-kit` measured on another machine',
  options: {},
  run: kitTables,
};

/** The tables of a kit.json. */
async function kitTables({ positionals }: CommandInput): Promise<Answer> {
  const file = positionals[0]!;
  const parsed = parseKit(await readJson(file), file);
  return { json: parsed, text: kitMarkdown(parsed) };
}
