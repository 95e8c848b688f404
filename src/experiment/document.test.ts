import { expect, it } from 'vitest';
import type { Live } from '../fields/field';
import { EXPERIMENT_FIELDS, type Field } from './schema';

const LIVE: Record<Live, string> = { no: '', 'until-cut': 'until the cut', 'until-end': 'until the end' };

/** docs/experiment.md is written from the table of fields: `npx vitest run src/experiment/document.test.ts -u`. */
function limits(field: Field): string {
  switch (field.kind) {
    case 'integer':
    case 'number':
      return `${field.min} … ${field.max}`;
    case 'choice':
      return field.options.map(({ value }) => `\`${value}\``).join(', ');
    case 'boolean':
      return '`true`, `false`';
    case 'weights':
      return 'one number a domain';
    case 'pins':
      return 'a list of units';
    case 'name':
      return 'a bundled model, or `local`';
  }
}

function defaultOf(field: Field): string {
  const value = field.default;
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : JSON.stringify(value);
}

it('docs/experiment.md lists every field of an experiment', async () => {
  const rows = EXPERIMENT_FIELDS.map(
    (field) =>
      `| \`${field.key}\` | ${defaultOf(field)} | ${limits(field)} | ${LIVE[field.live]} | ${field.help} |`,
  );
  const text = [
    '# An experiment',
    '',
    'Plain JSON, nested at the dots; in a link each field is `key=value`, and only what differs from the default stands there. Missing fields take their defaults, unknown ones are refused. Written from `EXPERIMENT_FIELDS` in `src/experiment/schema.ts`, which also makes the form.',
    '',
    'A field that is *live* may change while a run goes on, until the cut or until the end. Such changes stand in the file as `interventions`, each with `at`, the number of steps done before it, and `changes`, new values by field: `"interventions": [{ "at": 120, "changes": { "target.hiddenSize": 40 } }]`. In a link they are one value, `at=120:target.hiddenSize=40`, with `~` between fields and `;` between steps; a long one is compressed.',
    '',
    '| field | default | values | live | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot('../../docs/experiment.md');
});
