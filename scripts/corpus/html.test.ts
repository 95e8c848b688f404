import { expect, it } from 'vitest';
import { htmlToText } from './html.mjs';

it('makes a paragraph of each block and keeps preformatted text', () => {
  const page = `<head><title>no</title></head><body><h1>A  title</h1><p>one
    two<p>three<pre>  code
    more</pre><table><tr><td>a<td>b</table><script>no</script></body>`;
  expect(htmlToText(page)).toBe('A title\n\none two\n\nthree\n\n  code\n    more\n\na | b');
});

it('leaves skipped elements out, and everything outside the root', () => {
  const page = '<p>out</p><main><p>in</p><div class="nav">skip <b>this</b></div><p>end</p></main>';
  const skip = (_tag: string, attributes: Record<string, string>) => attributes['class'] === 'nav';
  expect(htmlToText(page, { skip, root: 'main' })).toBe('in\n\nend');
});
