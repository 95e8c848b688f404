import { expect, it } from 'vitest';
import { createSiteReader } from './site-files';

const sentence = 'The file a/b.bin could not be loaded: check the connection and try again.';

const reader = (answer: () => Response | Promise<Response>) => {
  const asked: string[] = [];
  const read = createSiteReader(
    () => 'https://lab.example/sub/',
    async (input) => {
      if (input instanceof URL) asked.push(input.href);
      return answer();
    },
  );
  return { read, asked };
};

it('reads below the base address, with progress', async () => {
  const { read, asked } = reader(
    () => new Response(new Uint8Array([1, 2, 3]), { headers: { 'content-length': '3' } }),
  );
  const seen: [number, number][] = [];
  const bytes = await read('a/b.bin', { onProgress: (loaded, total) => seen.push([loaded, total]) });
  expect([...new Uint8Array(bytes)]).toEqual([1, 2, 3]);
  expect(seen.at(-1)).toEqual([3, 3]);
  expect([...new Uint8Array(await read('a/b.bin'))]).toEqual([1, 2, 3]);
  expect(asked[0]).toBe('https://lab.example/sub/a/b.bin');
});

it.each([
  ['no connection', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['a missing file', () => new Response('', { status: 404 })],
  ['a start page in its place', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
  [
    'a connection that is cut on the way',
    () => {
      let pulls = 0;
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (pulls++ === 0) controller.enqueue(new Uint8Array([1]));
            else controller.error(new TypeError('network error'));
          },
        }),
      );
    },
  ],
])('says the same clear sentence for %s', async (_, answer) => {
  const { read } = reader(answer);
  await expect(read('a/b.bin')).rejects.toThrow(sentence);
  await expect(read('a/b.bin', { onProgress: () => undefined })).rejects.toThrow(sentence);
});
