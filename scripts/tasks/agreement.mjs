import { anyOf, edit, lookUp } from './edit.mjs';
import { PLURAL, SINGULAR, VERB_FORMS } from './lexicon.mjs';

/** Where a clause begins, so that a pronoun there is the subject of the verb after it. */
const CLAUSE = '(^|, |; |\\b(?:and|but|because|when|while|where|since|until|that) )';
/** Moods in which a plural or a bare form is right beside a singular subject. */
const SUBJUNCTIVE =
  /\b(if|though|although|lest|unless|whether|wish\w*|as it were|requir\w*|demand\w*|insist\w*|recommend\w*|propos\w*|ask\w*|order\w*|request\w*|suggest\w*|provided|suppos\w*|would that|necessary|essential|important|[Ll]et|God|Heaven)\b/i;
/** What may follow a noun that is not the first half of a compound. */
const AFTER_NOUN =
  '(?=[.,;:?!]| (?:of|in|on|to|and|or|is|are|was|were|has|have|had|that|which|who|for|from|with|by|at|as|can|will|may|must|should|into|when|where|whose|whom)\\b)';
/** Between a noun and its verb, with a noun of its own that the verb does not agree with. */
const PHRASE = '((?: (?:of|in|for|to|from) (?:the|an?|this|each|our|your|his|its) [a-z]+)?)';

const PLURAL_VERB = { is: 'are', was: 'were', has: 'have', does: 'do' };
const SINGULAR_VERB = { are: 'is', were: 'was', have: 'has', do: 'does' };
const VERB_AFTER_I = { am: 'are', have: 'has', do: 'does' };
const THIRD_PERSON = new Map(VERB_FORMS.map(({ base, third }) => [base, third]));
const BASE = new Map(VERB_FORMS.map(({ base, third }) => [third, base]));
const SINGULAR_DETERMINERS = { this: 'these', each: 'several', every: 'several', another: 'many' };

/** The reflexive that does not agree, by subject and the reflexive that does. */
const DISAGREEING = {
  'he himself': 'themselves',
  'she herself': 'themselves',
  'it itself': 'themselves',
  'they themselves': 'himself',
  'i myself': 'ourselves',
  'we ourselves': 'myself',
};
/** A number of things: "there is a number of" and "there are a number of" are both said. */
const COLLECTIVE =
  'few|number|lot|great|good|large|dozen|hundred|thousand|million|couple|variety|series|host|pair|set';

/** @type {import('./edit.mjs').Phenomenon[]} */
export const AGREEMENT = [
  {
    name: 'reflexive',
    rules: [
      edit(
        /\b([Hh]e|[Ss]he|[Ii]t|[Tt]hey|I|[Ww]e) ((?:(?!and|or|but|than|with|him|them|her|us|me|you|that)[a-z]+ ){1,2})(himself|herself|itself|themselves|myself|ourselves)\b/,
        ([subject = '', between, reflexive]) => {
          const bad = lookUp(DISAGREEING, `${subject.toLowerCase()} ${reflexive}`);
          return bad && `${subject} ${between}${bad}`;
        },
      ),
      edit(
        new RegExp(`\\b${anyOf(PLURAL.keys())} (itself|himself|herself)\\b`),
        ([noun]) => `${noun} themselves`,
      ),
      edit(new RegExp(`\\b${anyOf(SINGULAR.keys())} themselves\\b`), ([noun]) => `${noun} itself`),
    ],
  },
  {
    name: 'there is, there are',
    rules: [
      edit(
        new RegExp(`\\b([Tt]here) (is|was) (an?|another|one|no other) (?!${COLLECTIVE})([a-z]+)`),
        ([there, verb = '', determiner, noun]) =>
          `${there} ${lookUp(PLURAL_VERB, verb)} ${determiner} ${noun}`,
        SUBJUNCTIVE,
      ),
      edit(
        /\b([Tt]here) (are|were) (many|several|two|three|four|five|six|few|these|those) /,
        ([there, verb = '', determiner]) => `${there} ${lookUp(SINGULAR_VERB, verb)} ${determiner} `,
        SUBJUNCTIVE,
      ),
    ],
  },
  {
    name: 'determiner and noun',
    rules: [
      edit(
        new RegExp(
          `\\b([Tt]hese|[Tt]hose|[Ss]everal) ((?:[a-z]+(?:al|ous|ive|ic|ful|ent|ant|able) )?)${anyOf(SINGULAR.keys())}${AFTER_NOUN}`,
        ),
        ([determiner = '', adjective, noun = '']) => `${determiner} ${adjective}${SINGULAR.get(noun)}`,
      ),
      edit(
        new RegExp(`\\b([Tt]his|[Ee]ach|[Ee]very|[Aa]nother) ${anyOf(PLURAL.keys())}${AFTER_NOUN}`),
        ([determiner = '', noun = '']) => `${lookUp(SINGULAR_DETERMINERS, determiner)} ${noun}`,
      ),
      edit(
        new RegExp(`\\b([Mm]any) ${anyOf(SINGULAR.keys())}${AFTER_NOUN}`),
        ([many, noun]) => `${lookUp({ many: 'much' }, String(many))} ${noun}`,
      ),
    ],
  },
  {
    name: 'pronoun and auxiliary',
    rules: [
      edit(
        new RegExp(`${CLAUSE}([Hh]e|[Ss]he|[Ii]t) (is|was|has|does)\\b`),
        ([before, subject, verb = '']) => `${before}${subject} ${lookUp(PLURAL_VERB, verb)}`,
        SUBJUNCTIVE,
      ),
      edit(
        new RegExp(`${CLAUSE}([Tt]hey|[Ww]e) (are|were|have|do)\\b`),
        ([before, subject, verb = '']) => `${before}${subject} ${lookUp(SINGULAR_VERB, verb)}`,
      ),
      edit(
        new RegExp(`${CLAUSE}I (am|have|do)\\b`),
        ([before, verb = '']) => `${before}I ${lookUp(VERB_AFTER_I, verb)}`,
      ),
    ],
  },
  {
    name: 'pronoun and verb',
    rules: [
      edit(
        new RegExp(`${CLAUSE}([Hh]e|[Ss]he|[Ii]t) ${anyOf(BASE.keys())}\\b`),
        ([before, subject, verb = '']) => `${before}${subject} ${BASE.get(verb)}`,
        SUBJUNCTIVE,
      ),
      edit(
        new RegExp(`${CLAUSE}([Tt]hey|[Ww]e|I) ${anyOf(THIRD_PERSON.keys())}\\b`),
        ([before, subject, verb = '']) => `${before}${subject} ${THIRD_PERSON.get(verb)}`,
      ),
    ],
  },
  {
    name: 'noun and verb',
    rules: [
      edit(
        new RegExp(`^(The|This|Each|Every|That) ${anyOf(PLURAL.keys())}${PHRASE} (is|was|has|does)\\b`),
        ([determiner, noun, phrase, verb = '']) =>
          `${determiner} ${noun}${phrase} ${lookUp(PLURAL_VERB, verb)}`,
        SUBJUNCTIVE,
      ),
      edit(
        new RegExp(
          `^(The|These|Those|All|Both|Several|Many|Our|Their|Your) ${anyOf(SINGULAR.keys())}${PHRASE} (are|were|have|do)\\b`,
        ),
        ([determiner, noun, phrase, verb = '']) =>
          `${determiner} ${noun}${phrase} ${lookUp(SINGULAR_VERB, verb)}`,
      ),
    ],
  },
];
