import { expect, test } from './fixtures';

/** What runs in the page, in the worker, and the font; of radix-ui the packages behind its one name. */
const SHIPPED = [
  'react',
  'react-dom',
  'recharts',
  'zod',
  'zustand',
  'fflate',
  '@radix-ui/react-slider',
  '@huggingface/tokenizers',
  '@fontsource-variable/ibm-plex-sans',
];

test('the page leads to the notices of the licences that it ships', async ({ page, request }) => {
  await page.goto('/');
  const link = page.getByRole('link', { name: 'Licences', exact: true });
  const address = new URL((await link.getAttribute('href'))!, page.url()).href;
  const notices = await (await request.get(address)).text();
  for (const name of SHIPPED) {
    const section = notices.split(/^## /m).find((text) => text.startsWith(`${name} - `));
    expect(section, name).toMatch(/permission|licensed under|apache license/i);
  }
});
