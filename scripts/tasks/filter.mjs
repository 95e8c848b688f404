/**
 * Drops what the largest source model cannot do from public/tasks, freshly built: see docs/tasks.md.
 * Usage: node scripts/tasks/filter.mjs RESULTS.json, which `npm run -s cli -- tasks MODEL --tasks all --json` wrote
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { partAtChance } from './at-chance.mjs';
import { readIndex, readItems, writeIndex, writeItems } from './files.mjs';
import { commonestWordShare } from './last-word.mjs';

const FOLDER = fileURLToPath(new URL('../../public/tasks', import.meta.url));

const [path] = process.argv.slice(2);
if (!path) throw new Error('Usage: node scripts/tasks/filter.mjs RESULTS.json');
/** @type {{ model: { name: string, parameters: number, weights_sha256: string }, tasks: import('./at-chance.mjs').TaskScores[] }} */
const results = JSON.parse(readFileSync(path, 'utf8'));
const index = readIndex(FOLDER);

const parted = index.tasks.map((entry) => {
  const scores = results.tasks.find(({ name }) => name === entry.name);
  if (!scores) throw new Error(`${entry.name}: the results lack it`);
  return { entry, ...partAtChance(entry, readItems(FOLDER, entry), scores) };
});

/** @type {import('./files.mjs').TaskEntry[]} */
const tasks = [];
/** @type {object[]} */
const droppedTasks = [];
for (const { entry, kept, whole, atChance } of parted) {
  console.log(
    `${entry.name}: ${kept.length} of ${whole.n} items stay; at chance: ${JSON.stringify(atChance)}`,
  );
  const filter = { model: results.model, whole, at_chance: atChance };
  if (kept.length === 0) {
    rmSync(join(FOLDER, entry.file));
    const { name, title, form, domain, metric, chance } = entry;
    droppedTasks.push({ name, title, form, domain, metric, chance, filtered_with: filter });
    continue;
  }
  tasks.push({
    ...entry,
    ...writeItems(FOLDER, entry.name, kept),
    chance: entry.form === 'last_word' ? commonestWordShare(kept) : entry.chance,
    dropped: { ...entry.dropped, at_chance: whole.n - kept.length },
    filtered_with: filter,
  });
}
writeIndex(FOLDER, { ...index, tasks, dropped_tasks: droppedTasks });
