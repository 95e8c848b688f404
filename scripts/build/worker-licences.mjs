import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE_OF_MODULE = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;

/**
 * Vite writes the notices of every package in the page's bundle (`build.license`), but not those of the worker's,
 * which is a bundle of its own. `worker` notes what that one holds, `page` adds what is missing to the file.
 *
 * @param {string} fileName as in `build.license.fileName`
 * @returns {{ worker: () => import('vite').Plugin, page: import('vite').Plugin }}
 */
export function workerLicences(fileName) {
  /** @type {Set<string>} */
  const folders = new Set();
  return {
    worker: () => ({
      name: 'worker-licences-collect',
      generateBundle(_, bundle) {
        for (const output of Object.values(bundle)) {
          if (output.type !== 'chunk') continue;
          for (const id of output.moduleIds) {
            const folder = PACKAGE_OF_MODULE.exec(id)?.[0];
            if (folder) folders.add(folder);
          }
        }
      },
    }),
    page: {
      name: 'worker-licences',
      apply: 'build',
      generateBundle: {
        order: 'post',
        handler(_, bundle) {
          const notices = bundle[fileName];
          if (notices?.type !== 'asset') {
            return this.error(`The build has no ${fileName} to add the worker’s notices to.`);
          }
          const text = String(notices.source);
          notices.source =
            text +
            [...folders]
              .sort()
              .map((folder) => noticeOf(folder, text))
              .join('');
        },
      },
    },
  };
}

/** The section of one package, in the form of Vite's own; '' where `text` has it already. */
function noticeOf(folder, text) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const heading = `## ${name} - ${version} (${license})`;
  if (text.includes(heading)) return '';
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `\n${heading}\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : ''}\n`;
}
