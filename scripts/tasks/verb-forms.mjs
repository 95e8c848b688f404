import { anyOf, edit } from './edit.mjs';
import { IRREGULAR, VERB_FORMS } from './lexicon.mjs';

const THIRD_PERSON = new Map(VERB_FORMS.map(({ base, third }) => [base, third]));
const PAST = new Map(VERB_FORMS.flatMap(({ base, past }) => (past ? [[base, past]] : [])));
const BASE_OF_ING = new Map(VERB_FORMS.map(({ base, ing }) => [ing, base]));
const BASE_OF_PARTICIPLE = new Map(
  VERB_FORMS.flatMap(({ base, participle }) => (participle ? [[participle, base]] : [])),
);
const MODAL = '(can|could|would|may|might|must|should|cannot|shall)';

/** @type {import('./edit.mjs').Phenomenon[]} */
export const VERBS = [
  {
    name: 'irregular participle',
    rules: [
      edit(
        new RegExp(
          `\\b(has|have|had|having|was|were|been|being|be) ((?:not |never |already |always |also )?)${anyOf(IRREGULAR.keys())}\\b`,
        ),
        ([auxiliary, adverb, participle = '']) => `${auxiliary} ${adverb}${IRREGULAR.get(participle)}`,
      ),
    ],
  },
  {
    name: 'after a modal',
    rules: [
      edit(
        new RegExp(`\\b${MODAL} ((?:not |also |only |never |then )?)${anyOf(THIRD_PERSON.keys())}\\b`),
        ([modal, adverb, verb = '']) => `${modal} ${adverb}${THIRD_PERSON.get(verb)}`,
      ),
    ],
  },
  {
    name: 'after did not',
    rules: [
      edit(
        new RegExp(`\\b(did|does|do) not ${anyOf(PAST.keys())}\\b`),
        ([auxiliary, verb = '']) => `${auxiliary} not ${PAST.get(verb)}`,
      ),
    ],
  },
  {
    name: 'infinitive',
    rules: [
      edit(
        new RegExp(
          `\\b(able|necessary|possible|order|want|wants|wanted|wish|need|needs|seems|seemed|used|likely|going|ought|try|tried|failed|not) to ${anyOf(PAST.keys())}\\b`,
        ),
        ([before, verb = '']) => `${before} to ${PAST.get(verb)}`,
      ),
    ],
  },
  {
    name: 'gerund',
    rules: [
      edit(
        new RegExp(
          `\\b(by|without|of|before|after|instead of|from|for) ${anyOf(BASE_OF_ING.keys())} (the|an?|any|it|them|this|these|his|her|their|its|our|some|all|him)\\b`,
        ),
        ([preposition, verb = '', object]) => `${preposition} ${BASE_OF_ING.get(verb)} ${object}`,
      ),
    ],
  },
  {
    name: 'perfect',
    rules: [
      edit(
        new RegExp(
          `\\b(has|have|had) ((?:not |never |already |always |also )?)(been )?${anyOf(BASE_OF_PARTICIPLE.keys())}\\b`,
        ),
        ([auxiliary, adverb, been, participle = '']) => {
          const base = BASE_OF_PARTICIPLE.get(participle);
          return base === participle ? undefined : `${auxiliary} ${adverb}${been}${base}`;
        },
      ),
    ],
  },
];
