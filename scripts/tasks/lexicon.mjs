/**
 * Closed lists for the minimal pairs: words whose forms cannot be read otherwise. What is left out matters: verbs
 * whose forms fall together (put, read, cut), verbs that are nouns as well (work, use, name), past forms that are
 * verbs of their own (found, fell, saw, left).
 */

/** base, third person, past, participle, -ing form; a past form that is missing is a verb or a noun itself. */
const VERBS = `
accept accepts accepted accepted accepting
allow allows allowed allowed allowing
appear appears appeared appeared appearing
avoid avoids avoided avoided avoiding
become becomes became become becoming
begin begins began begun beginning
believe believes believed believed believing
belong belongs belonged belonged belonging
bring brings brought brought bringing
carry carries carried carried carrying
choose chooses chose chosen choosing
consider considers considered considered considering
consist consists consisted consisted consisting
contain contains contained contained containing
continue continues continued continued continuing
create creates created created creating
deal deals dealt dealt dealing
define defines defined defined defining
depend depends depended depended depending
describe describes described described describing
destroy destroys destroyed destroyed destroying
determine determines determined determined determining
exist exists existed existed existing
explain explains explained explained explaining
follow follows followed followed following
forget forgets forgot forgotten forgetting
get gets got - getting
give gives gave given giving
go goes went gone going
grow grows grew grown growing
happen happens happened happened happening
hear hears heard heard hearing
ignore ignores ignored ignored ignoring
improve improves improved improved improving
include includes included included including
keep keeps kept kept keeping
know knows knew known knowing
lose loses lost lost losing
maintain maintains maintained maintained maintaining
make makes made made making
obtain obtains obtained obtained obtaining
occur occurs occurred occurred occurring
perform performs performed performed performing
prevent prevents prevented prevented preventing
produce produces produced produced producing
protect protects protected protected protecting
provide provides provided provided providing
receive receives received received receiving
remain remains remained remained remaining
remember remembers remembered remembered remembering
remove removes removed removed removing
require requires required required requiring
say says said said saying
see sees - seen seeing
seem seems seemed seemed seeming
send sends sent sent sending
speak speaks spoke spoken speaking
specify specifies specified specified specifying
suggest suggests suggested suggested suggesting
take takes took taken taking
tell tells told told telling
think thinks - - thinking
understand understands understood understood understanding
write writes wrote written writing`;

export const VERB_FORMS = VERBS.trim()
  .split('\n')
  .map((line) => {
    const [base = '', third = '', past = '-', participle = '-', ing = ''] = line.split(' ');
    return {
      base,
      third,
      past: past === '-' ? null : past,
      participle: participle === '-' ? null : participle,
      ing,
    };
  });

/** Participles that are no past form, with the past form that is no participle. */
export const IRREGULAR = new Map(
  Object.entries({
    begun: 'began',
    broken: 'broke',
    chosen: 'chose',
    done: 'did',
    drawn: 'drew',
    driven: 'drove',
    eaten: 'ate',
    forgotten: 'forgot',
    given: 'gave',
    gone: 'went',
    grown: 'grew',
    known: 'knew',
    seen: 'saw',
    spoken: 'spoke',
    taken: 'took',
    thrown: 'threw',
    written: 'wrote',
  }),
);

/** Count nouns, singular and plural. */
const NOUNS = `
action actions|address addresses|application applications|argument arguments|article articles|boat boats|
body bodies|book books|boundary boundaries|brother brothers|captain captains|chapter chapters|character characters|
child children|citizen citizens|city cities|class classes|column columns|command commands|community communities|
component components|computer computers|condition conditions|connection connections|country countries|
database databases|daughter daughters|day days|definition definitions|difficulty difficulties|directory directories|
element elements|employee employees|entry entries|error errors|event events|example examples|expression expressions|
eye eyes|fact facts|family families|farmer farmers|father fathers|feature features|feeling feelings|file files|
friend friends|function functions|gentleman gentlemen|government governments|house houses|idea ideas|
industry industries|instruction instructions|integer integers|interest interests|island islands|kind kinds|
lady ladies|language languages|law laws|library libraries|machine machines|man men|method methods|mile miles|
minute minutes|module modules|moment moments|month months|mother mothers|nation nations|object objects|
occasion occasions|operation operations|operator operators|option options|parameter parameters|part parts|
party parties|pattern patterns|person persons|pointer pointers|policy policies|president presidents|
principle principles|problem problems|procedure procedures|process processes|program programs|property properties|
query queries|question questions|reason reasons|region regions|river rivers|rule rules|section sections|
sentence sentences|server servers|session sessions|ship ships|situation situations|soldier soldiers|son sons|
state states|statement statements|station stations|string strings|student students|subject subjects|system systems|
table tables|task tasks|term terms|theorem theorems|thing things|transaction transactions|treaty treaties|
user users|value values|variable variables|vector vectors|version versions|vessel vessels|village villages|
war wars|way ways|week weeks|whale whales|woman women|word words|worker workers|year years`;

/** Plural by singular. */
export const PLURAL = new Map(
  NOUNS.replace(/\n/g, '')
    .split('|')
    .map((pair) => /** @type {[string, string]} */ (pair.split(' '))),
);
/** Singular by plural. */
export const SINGULAR = new Map([...PLURAL].map(([singular, plural]) => [plural, singular]));
