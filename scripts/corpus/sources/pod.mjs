import { join } from 'node:path';
import { listFiles, readText } from '../files.mjs';
import { unwrap } from '../text.mjs';

export const POD_FOLDER = 'usr/share/perl/5.36.0/pod';

/** Perl's manual pages. The FAQ is a source of its own, tables of contents are lists, licences are not prose. */
export function perlManual(/** @type {string} */ root) {
  const folder = join(root, POD_FOLDER);
  return listFiles(folder, ['.pod'])
    .filter(
      (path) =>
        !/^perl(faq\d*|toc|uniprops|gpl|artistic|delta|modlib|cn|jp|ko|tw|hist|fr|de)\.pod$/.test(path),
    )
    .map((path) => ({ id: path, text: unwrap(podToText(readText(join(folder, path)))) }));
}

/**
 * Readable text of Perl's documentation format: commands and formatting codes reduced to their words.
 * @param {string} pod
 */
export function podToText(pod) {
  let text = pod
    .replace(/^=begin[\s\S]*?^=end.*$/gm, '')
    .replace(/^=for .*(\n.+)*/gm, '')
    .replace(/^=head\d\s+/gm, '')
    .replace(/^=item (\* ?)?/gm, '- ')
    .replace(/^=\w+.*$/gm, '')
    .replace(/[XZ]<[^<>]*>/g, '');
  for (let depth = 0; depth < 3; depth++) {
    text = text
      .replace(/[A-Z]<<+ (.*?) >>+/gs, '$1')
      .replace(/L<([^<>|]*)\|[^<>]*>/g, '$1')
      .replace(/E<lt>/g, '\u0001')
      .replace(/E<gt>/g, '\u0002')
      .replace(/[A-Z]<([^<>]*)>/g, '$1');
  }
  return text.replaceAll('\u0001', '<').replaceAll('\u0002', '>');
}
