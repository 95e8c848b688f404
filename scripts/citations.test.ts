import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Everything in which a comment or a page may send a reader elsewhere. */
const FOLDERS = ['docs', 'src', 'shaders', 'scripts', 'e2e'];
const SUFFIX = /\.(md|ts|tsx|mjs|wgsl|py|css)$/;
/** A path from the root of the repository; one inside a longer path or address is somebody else's. */
const PATH = /(?<![\w./@~-])(?:docs|src|shaders|scripts|e2e)\/[\w./-]*\w(?:#[\w-]+)?/g;
/** `docs/method.md, section 4` or `sections 1 and 3`. */
const SECTION = /(docs\/[\w-]+\.md),\s(?:\W{0,3}\s)?sections?\s(\d+)(?:\sand\s(\d+))?/g;
/** A shader's file name without its folder. */
const SHADER = /(?<![\w./-])[a-z]\w*\.wgsl/g;
/** Names of texts that are not in this repository. */
const ELSEWHERE = /\bmethods [A-Z]\d*\b|\brungs?\b/gi;

interface Citation {
  from: string;
  line: number;
  text: string;
}

interface Source {
  file: string;
  text: string;
}

function readSources(): Source[] {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return [...readdirSync('.'), ...inFolders]
    .map((path) => path.replaceAll('\\', '/'))
    .filter((file) => SUFFIX.test(file) && file !== 'scripts/citations.test.ts')
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

function* matches({ file, text }: Source, pattern: RegExp) {
  for (const match of text.matchAll(pattern)) {
    const line = text.slice(0, match.index).split('\n').length;
    yield { match, citation: { from: file, line, text: match[0] } satisfies Citation };
  }
}

/** A file, a folder, or the stem that some files of a folder have in common (`docs/reports/default`). */
const isThere = (path: string) =>
  existsSync(path) ||
  (existsSync(dirname(path)) &&
    readdirSync(dirname(path)).some((name) => name.startsWith(`${basename(path)}.`)));

const headings = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm)].map((heading) => heading[1]!);

/** The anchor that GitHub gives a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

describe('citations', () => {
  const sources = readSources();
  const inAll = (pattern: RegExp) => sources.flatMap((source) => [...matches(source, pattern)]);

  it('of paths name what is in the repository', () => {
    const cited = inAll(PATH);
    const dangling = cited.filter(({ citation }) => {
      const [path, fragment] = citation.text.split('#');
      if (!isThere(path!)) return true;
      return (
        fragment !== undefined && path!.endsWith('.md') && !headings(path!).map(anchor).includes(fragment)
      );
    });
    expect(cited.length).toBeGreaterThan(100);
    expect(dangling.map(({ citation }) => citation)).toEqual([]);
  });

  it('of shaders by their name alone do, too', () => {
    const cited = inAll(SHADER);
    expect(cited.length).toBeGreaterThan(20);
    expect(
      cited.filter(({ match }) => !existsSync(`shaders/${match[0]}`)).map(({ citation }) => citation),
    ).toEqual([]);
  });

  it('of sections name a heading with that number', () => {
    const cited = inAll(SECTION);
    const dangling = cited.filter(({ match: [, page, ...numbers] }) =>
      numbers.some(
        (n) => n !== undefined && !headings(page!).some((heading) => heading.startsWith(`${n}. `)),
      ),
    );
    expect(cited.length).toBeGreaterThan(10);
    expect(dangling.map(({ citation }) => citation)).toEqual([]);
  });

  it('name no text that is not here', () => {
    expect(inAll(ELSEWHERE).map(({ citation }) => citation)).toEqual([]);
  });
});
