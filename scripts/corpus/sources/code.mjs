import { dirname, join } from 'node:path';
import { listFiles, readText } from '../files.mjs';

const LICENCE_HEADER = /copyright|licen[cs]e|SPDX/i;

/**
 * One document a source file, the files of a folder in one split; tests, generated tables and very long files are left out, and so is a leading
 * licence comment (it stands in LICENCES.md instead).
 * @param {string} root
 * @param {{ folder: string, endings: string[], exclude?: RegExp, reject?: RegExp }} options
 */
export function sourceFiles(root, { folder, endings, exclude, reject }) {
  const base = join(root, folder);
  return listFiles(base, endings)
    .filter((path) => !exclude?.test(path))
    .map((path) => ({ id: path, text: readText(join(base, path)) }))
    .filter(({ text }) => text.length > 300 && text.length < 60_000 && !reject?.test(text))
    .filter(({ text }) => !/DO NOT EDIT|@generated/i.test(text.slice(0, 600)))
    .map(({ id, text }) => ({
      id,
      text: withoutLicenceHeader(text),
      ...(id.includes('/') && { group: dirname(id) }),
    }));
}

/** @param {string} text */
function withoutLicenceHeader(text) {
  const header = /^(?:#!.*\n)?\s*(?:\/\*[\s\S]*?\*\/|(?:(?:\/\/|#).*\n)+)/.exec(text)?.[0];
  return header && LICENCE_HEADER.test(header) ? text.slice(header.length).trimStart() : text;
}

export const pythonLibrary = (/** @type {string} */ root) =>
  sourceFiles(root, {
    folder: 'usr/lib/python3.11',
    endings: ['.py'],
    exclude: /^(encodings|pydoc_data|test|idlelib|lib2to3\/tests)\/|_sysconfigdata/,
    // Modules that carry somebody else's notice stay out.
    reject: /copyright(?! *(?:\(c\))? *[\d, -]*(?:by )?(?:the )?python software foundation)/i,
  });

export const goLibrary = (/** @type {string} */ root) =>
  sourceFiles(root, {
    folder: 'usr/share/go-1.19/src',
    endings: ['.go'],
    exclude:
      /_test\.go$|(^|\/)(testdata|vendor|cmd|syscall|internal\/syscall|runtime)\/|tables?\.go$|zsyscall|zerrors/,
  });

const TESTS = /(^|\/)(tests?|spec|__tests__|examples)\/|\.(test|spec|min)\./;

/** @param {string} folder */
export const npmSource =
  (folder, endings = ['.js']) =>
  (/** @type {string} */ root) =>
    sourceFiles(root, { folder, endings, exclude: TESTS });
export const lodash = (/** @type {string} */ root) =>
  sourceFiles(root, { folder: '.', endings: ['.js'], exclude: /^(fp\/|core|lodash)|\.min\./ });
