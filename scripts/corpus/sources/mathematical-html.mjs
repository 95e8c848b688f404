import { join } from 'node:path';
import { listFiles, readText } from '../files.mjs';
import { htmlToText } from '../html.mjs';

/** Navigation, code and its output, tables of contents. */
const SKIPPED =
  /\b(headerlink|highlight|sphinxsidebar|related|footer|prev-next-area|toctree-wrapper|viewcode-link|classifier|autosummary|longtable|searchformwrapper|sphx-glr-footer|bd-sidebar|bd-toc|navbar)\b/;

/**
 * Pages of a Sphinx documentation with at least three formulas, without their code; formulas as $…$ and $$…$$.
 * @param {string} folder
 */
const mathematicalHtml =
  (folder, exclude = /^(_modules|_sources|genindex|search)/) =>
  (/** @type {string} */ root) => {
    const base = join(root, folder);
    return listFiles(base, ['.html'])
      .filter((path) => !exclude.test(path))
      .map((path) => ({ id: path, html: readText(join(base, path)) }))
      .filter(({ html }) => (html.match(/class="math /g)?.length ?? 0) >= 3)
      .map(({ id, html }) => ({
        id,
        text: htmlToText(html, { skip: (_, attributes) => SKIPPED.test(attributes.class ?? '') })
          .replace(/\\\(([\s\S]*?)\\\)/g, (_, formula) => `$${formula}$`)
          .replace(/\\\[([\s\S]*?)\\\]/g, (_, formula) => `$$${formula.trim()}$$`),
      }));
  };

export const scipy = mathematicalHtml(
  'usr/share/doc/python-scipy-doc/html',
  /^(_modules|genindex|search|release)/,
);
export const statsmodels = mathematicalHtml(
  'usr/share/doc/python-statsmodels-doc/html',
  /^(_modules|genindex|search|release|examples\/notebooks)/,
);
export const mpmath = mathematicalHtml('usr/share/doc/python-mpmath-doc/html');
