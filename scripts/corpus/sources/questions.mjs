import { join } from 'node:path';
import { listFiles, readText } from '../files.mjs';
import { htmlToText } from '../html.mjs';
import { unwrap } from '../text.mjs';
import { POD_FOLDER, podToText } from './pod.mjs';
import { rstToText } from './rst.mjs';

/** @typedef {import('../text.mjs').Document} Document */

const asked = (/** @type {string} */ question, /** @type {string} */ answer) =>
  `Question: ${question.replace(/\s+/g, ' ').trim()}\n\nAnswer: ${answer.trim()}`;

/** perlfaq1 to perlfaq9: one document a question. */
export function perlFaq(/** @type {string} */ root) {
  const folder = join(root, POD_FOLDER);
  return listFiles(folder, ['.pod'])
    .filter((path) => /^perlfaq[1-9]\.pod$/.test(path))
    .flatMap((path) =>
      readText(join(folder, path))
        .split(/^(?==head[12] )/m)
        .filter((section) => section.startsWith('=head2 '))
        .map((section, index) => {
          const [heading = '', ...body] = section.split('\n');
          const answer = unwrap(podToText(body.join('\n')));
          return { id: `${path}/${index}`, text: asked(podToText(heading.slice(7)), answer) };
        }),
    );
}

/** Python's frequently asked questions: one document a question. */
export function pythonFaq(/** @type {string} */ root) {
  const folder = join(root, 'usr/share/doc/python3.11/html/_sources/faq');
  return listFiles(folder, ['.rst.txt'])
    .filter((path) => path !== 'index.rst.txt')
    .flatMap((path) => {
      const parts = readText(join(folder, path)).split(/^(.+\?)\n[-=~^]{4,}\n/m);
      return parts.slice(1).flatMap((question, i, all) =>
        i % 2
          ? []
          : [
              {
                id: `${path}/${i / 2}`,
                text: asked(rstToText(question, { code: true }), rstToText(all[i + 1] ?? '', { code: true })),
              },
            ],
      );
    });
}

/** The SQLite FAQ page: one document a question. */
export function sqliteFaq(/** @type {string} */ root) {
  const page = readText(join(root, 'usr/share/doc/sqlite3/faq.html'));
  const text = htmlToText(page, {
    skip: (_, attributes) => /nosearch|nounderline/.test(attributes.class ?? ''),
  });
  const parts = text.split(/^\(\d+\) /m).slice(1);
  return parts.map((part, index) => {
    const [question = '', ...answer] = part.split('\n\n');
    return { id: `faq/${index}`, text: asked(question, answer.join('\n\n')) };
  });
}

/**
 * Multiple-choice pools of the radio examinations. A document is a question group (one topic), so that the
 * re-worded variants of a question stay on one side of the split.
 * @param {string} root
 * @param {string[]} pools
 */
function examinationPool(root, pools) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const pool of pools) {
    for (const path of listFiles(join(root, pool), [''])) {
      const text = formatExamination(readText(join(root, pool, path)));
      const group = `${pool}/${path.replace(/\d+$/, '')}`;
      if (text) groups.set(group, [...(groups.get(group) ?? []), text]);
    }
  }
  return [...groups].map(([id, questions]) => ({ id, text: questions.join('\n\n') }));
}

/** @param {string} record "T1A01 (C) [rule]", the question, then choices "A. …" a line */
function formatExamination(record) {
  const [heading = '', ...lines] = record
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const key = /^\S+\s+\(?([A-D])\)?(\s|$)/.exec(heading)?.[1];
  const firstChoice = lines.findIndex((line) => /^A[.)]/.test(line));
  if (!key || firstChoice < 1 || /figure|diagram/i.test(record)) return null;
  const choices = lines.slice(firstChoice).filter(Boolean);
  const answer = choices.find((line) => line.startsWith(key));
  return (
    answer && `Question: ${lines.slice(0, firstChoice).join(' ')}\n${choices.join('\n')}\nAnswer: ${answer}`
  );
}

export const amateurRadioPool = (/** @type {string} */ root) =>
  examinationPool(join(root, 'usr/share/hamexam'), ['T', 'G', 'E']);

export const commercialRadioPool = (/** @type {string} */ root) =>
  examinationPool(join(root, 'usr/share/fccexam'), ['E1', 'E3', 'E5', 'E6', 'E7', 'E8', 'E9']);
