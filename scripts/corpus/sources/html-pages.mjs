import { join } from 'node:path';
import { listFiles, readText } from '../files.mjs';
import { htmlToText } from '../html.mjs';

/** @typedef {import('../text.mjs').Document} Document */

/**
 * One document a page.
 * @param {string} root
 * @param {{ endings?: string[], include?: RegExp, exclude?: RegExp, root?: string,
 *   skip?: (tag: string, attributes: Record<string, string>) => boolean }} options
 * @returns {Document[]}
 */
export function htmlPages(root, { endings = ['.html'], include, exclude, ...extraction }) {
  return listFiles(root, endings)
    .filter((path) => (!include || include.test(path)) && !exclude?.test(path))
    .map((path) => ({ id: path, text: htmlToText(readText(join(root, path)), extraction) }));
}

const hasClass =
  (/** @type {RegExp} */ pattern) =>
  (/** @type {string} */ _tag, /** @type {Record<string, string>} */ attributes) =>
    pattern.test(attributes.class ?? '');

export const postgresManual = (/** @type {string} */ root) =>
  htmlPages(join(root, 'usr/share/doc/postgresql-doc-15/html'), {
    exclude: /^(release|bookindex|biblio|index|legalnotice)/,
    skip: hasClass(/^(nav(header|footer)|toc|indexterm)$/),
  });

export const sqliteManual = (/** @type {string} */ root) =>
  htmlPages(join(root, 'usr/share/doc/sqlite3'), {
    exclude:
      /^(releaselog|syntax)\/|crossref|^(faq|requirements|keyword_index|sitemap|toc|docs|doclist|syntaxdiagrams|changes|chronology|capi3ref|hlr\w*|search|matrix\/.*)\.html|(objlist|constlist|funclist)\.html/,
    skip: hasClass(/\b(nosearch|imgcontainer|codeblock-copy)\b/),
  });

export const apacheManual = (/** @type {string} */ root) =>
  htmlPages(join(root, 'usr/share/doc/apache2-doc/manual/en'), {
    exclude: /(^|\/)(index|sitemap|license|directives|quickreference|new_features.*|upgrading)\.html$/,
    skip: (tag, { id = '', class: name = '' }) =>
      /^(page-header|path|quickview|footer|comments_section)$/.test(id) ||
      /^(up|top|toplang|bottomlang|permalink)$/.test(name),
  });

export const djangoManual = (/** @type {string} */ root) =>
  htmlPages(join(root, 'usr/share/doc/python-django-doc/html'), {
    include: /^(faq|howto|internals|intro|misc|ref|topics)\//,
    exclude: /(^|\/)index\.html$/,
    skip: (tag, { id = '', class: name = '' }) =>
      /^(hd|ft|global-nav|sidebar|searchbox)$/.test(id) ||
      /\b(headerlink|viewcode-link|nav|contents|sphinxsidebar)\b/.test(name),
  });

/** A book about hacker culture, published as web pages. */
export const copyrightDoesNotExist = (/** @type {string} */ root) =>
  htmlPages(join(root, 'usr/share/doc/cfi-en/html'), { endings: ['web.htm', 'preface.htm'] });

export const bashGuide = (/** @type {string} */ root) =>
  htmlPages(join(root, 'usr/share/doc/abs-guide/html'), {
    exclude:
      /^(index|xrefindex|biblio|contributed-scripts|copyright|credits|mirrorsites|revisionhistory|todolist|asciitable|endnotes)\.html/,
    skip: hasClass(/^(NAVHEADER|NAVFOOTER|TOC)$/),
  }).map(({ id, text }) => ({ id, text: text.replace(/^[ \u00a0]{1,4}\d+(?:[ \u00a0]{1,2}|$)/gm, '') })); // the listings' line numbers

/** The books about Rust that are under MIT or Apache-2.0; the embedded book's prose is not. */
export const rustBooks = (/** @type {string} */ root) =>
  htmlPages(join(root, 'usr/share/doc/rust-doc/html'), {
    include: /^(book|rust-by-example|nomicon|reference|edition-guide|rustc|rustdoc)\//,
    exclude: /(^|\/)(print|toc|404|index|title-page)\.html$/,
    root: 'main',
  });
