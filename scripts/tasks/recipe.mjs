import { codeLines } from './code-line.mjs';
import { continuations } from './continuation.mjs';
import { definitionToWord, wordToDefinition } from './definitions.mjs';
import { formulaTails } from './formulas.mjs';
import { lastWords } from './last-word.mjs';
import { minimalPairs } from './minimal-pairs.mjs';

/**
 * @typedef {import('./items.mjs').Candidate} Candidate
 * @typedef {{ name: string, title: string, documents: string[] }} HeldOut a domain and its held-out text
 * @typedef {object} TaskRecipe
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {'choice' | 'last_word'} form
 * @property {string | null} domain
 * @property {'acc' | 'acc_norm'} metric
 * @property {number} atMost items; of each group where `perGroup`
 * @property {boolean} [perGroup]
 * @property {() => Candidate[]} make
 */

/** Domains of whole sentences; code and dictionary entries have few. */
const PROSE = ['manuals', 'speeches', 'books', 'mathematics', 'questions'];

/**
 * @param {HeldOut[]} domains in the order of the corpus
 * @returns {TaskRecipe[]}
 */
export function tasks(domains) {
  const documentsOf = (/** @type {string} */ name) => {
    const domain = domains.find((one) => one.name === name);
    if (!domain) throw new Error(`the corpus has no domain ${name}`);
    return domain.documents;
  };
  return [
    ...domains.map(({ name, title, documents }) => ({
      name: `continuation-${name}`,
      title: `Continuation: ${title.toLowerCase()}`,
      description:
        'Which of four texts continues the passage? The other three follow the same word in other documents.',
      form: /** @type {const} */ ('choice'),
      domain: name,
      metric: /** @type {const} */ ('acc_norm'),
      atMost: 1000,
      make: () => continuations(documents),
    })),
    {
      name: 'last-word',
      title: 'Last word',
      description: 'The last word of a passage, given exactly. It stands in the passage already.',
      form: 'last_word',
      domain: null,
      metric: 'acc',
      atMost: 1000,
      make: () => PROSE.flatMap((name) => lastWords(documentsOf(name), name)),
    },
    {
      name: 'minimal-pairs',
      title: 'Grammar: minimal pairs',
      description: 'Which of two sentences is the likelier text? One edit has made the other ungrammatical.',
      form: 'choice',
      domain: null,
      metric: 'acc',
      atMost: 80,
      perGroup: true,
      make: () => minimalPairs([...PROSE, 'reference'].flatMap(documentsOf)),
    },
    {
      name: 'word-to-definition',
      title: 'Word to definition',
      description: 'Which of four definitions of one part of speech belongs to the word?',
      form: 'choice',
      domain: 'reference',
      metric: 'acc_norm',
      atMost: 1000,
      make: () => wordToDefinition(documentsOf('reference')),
    },
    {
      name: 'definition-to-word',
      title: 'Definition to word',
      description: 'Which of four words of one part of speech has the definition?',
      form: 'choice',
      domain: 'reference',
      metric: 'acc',
      atMost: 1000,
      make: () => definitionToWord(documentsOf('reference')),
    },
    {
      name: 'code-line',
      title: 'Next line of code',
      description: 'Which of four lines of one file and indentation comes next?',
      form: 'choice',
      domain: 'code',
      metric: 'acc_norm',
      atMost: 400,
      perGroup: true,
      make: () => codeLines(documentsOf('code')),
    },
    {
      name: 'formula',
      title: 'Formula completion',
      description:
        'Which of four endings completes the formula? The other three follow the same operator elsewhere.',
      form: 'choice',
      domain: 'mathematics',
      metric: 'acc_norm',
      atMost: 1000,
      make: () => formulaTails(documentsOf('mathematics')),
    },
  ];
}
