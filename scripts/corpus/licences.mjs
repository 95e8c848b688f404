import { join } from 'node:path';
import { readText } from './files.mjs';
import { htmlToText } from './html.mjs';

/**
 * @typedef {import('./recipe.mjs').Domain} Domain
 * @typedef {import('./recipe.mjs').Source} Source
 */

/**
 * LICENCES.md: what every source is, and the notices that have to go with it.
 * @param {Domain[]} domains
 * @param {(source: Source) => string} packageRoot
 */
export function licencesDocument(domains, packageRoot) {
  const sections = domains.map(({ title, sources }) => {
    const rows = sources.map(({ name, licence, attribution, homepage, package: from }) => {
      const link = homepage ? `[${name}](${homepage})` : name;
      return `| ${link} | ${from.registry} \`${from.name}\` ${from.version} | ${licence} | ${attribution} |`;
    });
    return [
      `## ${title}`,
      '',
      '| source | package | licence | attribution |',
      '|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  const notices = domains.flatMap(({ sources }) =>
    sources.flatMap((source) =>
      source.notice
        ? [`### ${source.name}\n\n\`\`\`text\n${readNotice(packageRoot(source), source.notice)}\n\`\`\``]
        : [],
    ),
  );
  return [
    '# Licences of the corpus',
    'Written by `npm run corpus`. The shards hold these texts, cleaned, shortened, tokenised and shuffled. Every source is in the public domain or under a permissive licence; a model trained on them is described in its own card.',
    ...sections,
    '## Notices',
    ...notices,
    '',
  ].join('\n\n');
}

/**
 * @param {string} root
 * @param {string} notice a path inside the package, "#NAME" for that licence paragraph of a Debian copyright file
 */
function readNotice(root, notice) {
  const [path = '', licence] = notice.split('#');
  const text = readText(join(root, path));
  if (path.endsWith('.html')) return htmlToText(text);
  if (!licence) return text.trim();
  const lines = text.split('\n');
  for (
    let at = lines.indexOf(`License: ${licence}`);
    at >= 0;
    at = lines.indexOf(`License: ${licence}`, at + 1)
  ) {
    const body = lines.slice(at + 1);
    const end = body.findIndex((line) => !line.startsWith(' '));
    const paragraph = body
      .slice(0, end < 0 ? undefined : end)
      .map((line) => line.replace(/^ \.?/, '').trimEnd());
    if (paragraph.length > 3) return paragraph.join('\n').trim();
  }
  throw new Error(`${path} holds no text of ${licence}`);
}
