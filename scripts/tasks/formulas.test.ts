import { expect, it } from 'vitest';
import { formulaTails } from './formulas.mjs';

it('cuts a formula after the operator nearest its middle; the others follow the same operator', () => {
  const text = [
    'The sum $a + b = c + d$ of two.',
    'Let $x_1 = y_1 + 1$ be so.',
    'Then $( A F B) = ( C F D)$ holds.',
    '$$p_{mk} = q_{mk} / 2$$',
    'Here $f(x) = g(x) h$ too.',
  ].join('\n\n');
  const items = formulaTails([text]);
  const first = items.find(({ context }) => context.startsWith('The sum'))!;
  expect(first.context).toBe('The sum $a + b =');
  expect(first.answer).toBe(' c + d$');
  expect(first.distractors).toHaveLength(3);
  for (const tail of first.distractors) expect(text).toMatch(`=${tail}`);
});

it.each([
  ['a command that begins like an operator', '$\\infty \\int fg$'],
  ['a relation that holds another', '$aaaa =/= bbbb$'],
])('does not cut inside %s', (_, formula) => {
  const others = ['$cc =/= dddd$', '$ee =/= ffff$', '$gg =/= hhhh$', '$kk =/= llll$'];
  const items = formulaTails([[formula, ...others].map((one) => `Let ${one} be.`).join('\n\n')]);
  expect(items.length).toBeGreaterThan(0);
  for (const { context } of items) expect(context).toMatch(/ =\/=$/);
});

it.each([
  ['prose between two formulas', 'It is $x$ which is not free in the other = one $y$ here.'],
  ['open brackets', 'It is $( a = b + c$ here.'],
  ['no operator', 'It is $abcdefghij$ here.'],
])('leaves out %s', (_, paragraph) => {
  const others = ['$aaa = bbb$', '$ccc = ddd$', '$eee = fff$', '$ggg = hhh$'].map((f) => `Let ${f} be.`);
  const contexts = formulaTails([[paragraph, ...others].join('\n\n')]).map(({ context }) => context);
  expect(contexts).toHaveLength(4);
  expect(contexts.every((context) => context.startsWith('Let'))).toBe(true);
});
