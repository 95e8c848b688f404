import { edit, lookUp } from './edit.mjs';

const OBJECTS = { him: 'he', them: 'they', us: 'we', me: 'I' };
const SUBJECTS = { he: 'him', they: 'them', we: 'us', she: 'her' };
/** A consonant in writing and in speech, so no h, no u and no name that is spelt out. */
const CONSONANT = '[bcdfgjklmnpqrstvwyz][a-z]*[aeiou][a-z]*';
const VOWEL = '(?:[ai][a-z]{2,}|e(?!u|w)[a-z]{2,}|o(?!n[ce])[a-z]{2,})';

/** @type {import('./edit.mjs').Phenomenon[]} */
export const OTHERS = [
  {
    name: 'neither, either, or, nor',
    rules: [
      edit(
        /\b([Nn]either) ([^,;.?!]+?) nor\b/,
        ([neither = '', first]) => `${lookUp({ neither: 'either' }, neither)} ${first} nor`,
      ),
      edit(
        /\b([Ee]ither) ((?!of\b)[^,;.?!]+?) or\b/,
        ([either, first]) => `${either} ${first} nor`,
        /\b(not|never|no|nor)\b|n't/,
      ),
    ],
  },
  {
    name: 'comparison',
    rules: [
      edit(
        /\b(more|less|rather|better|greater|larger|smaller|higher|lower|longer|older|faster|earlier|worse) ((?:[a-z]+ )?)than\b/,
        ([comparative, adjective]) => `${comparative} ${adjective}as`,
      ),
      edit(
        /\bas (well|soon|long|much|many|far|good|great|large|small|little|often) as\b/,
        ([adjective]) => `as ${adjective} than`,
      ),
    ],
  },
  {
    name: 'pronoun case',
    rules: [
      edit(
        /\b(to|of|with|for|from|by|at|upon) (him|them|us|me)(?=[.,;:?!])/,
        ([preposition, pronoun = '']) => `${preposition} ${lookUp(OBJECTS, pronoun)}`,
      ),
      edit(
        /^(He|They|We|She) (is|was|are|were|has|have|had|would|could|will|must|should|did|can|may)\b/,
        ([pronoun = '', verb]) => `${lookUp(SUBJECTS, pronoun)} ${verb}`,
      ),
    ],
  },
  {
    name: 'a and an',
    rules: [
      edit(new RegExp(`\\b([Aa])n (${VOWEL})\\b`), ([article, word]) => `${article} ${word}`),
      edit(new RegExp(`\\b([Aa]) (${CONSONANT})\\b`), ([article, word]) => `${article}n ${word}`),
    ],
  },
  {
    name: 'word order',
    rules: [
      edit(
        /\b(could|would|did|does|do|should|must|may|might|can|will|shall) not (be|have|[a-z]{3,})\b/,
        ([auxiliary, verb]) => `not ${auxiliary} ${verb}`,
      ),
      edit(
        /\b(of|in|to|from|with|by|for|at|on) (the|an?|this|these|his|their|our|its) ([a-z]{3,})\b/,
        ([preposition, determiner, noun]) => `${determiner} ${preposition} ${noun}`,
      ),
    ],
  },
];
