import { expect, it } from 'vitest';
import { EXPERIMENT_FIELDS, type Field } from './schema';

/** docs/experiment.md is written from the table of fields: `npx vitest run -u src/experiment/document.test.ts`. */
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
    (field) => `| \`${field.key}\` | ${defaultOf(field)} | ${limits(field)} | ${field.help} |`,
  );
  const text = [
    '# An experiment',
    '',
    'Plain JSON, nested at the dots; in a link each field is `key=value`, and only what differs from the default stands there. Missing fields take their defaults, unknown ones are refused. Written from `EXPERIMENT_FIELDS` in `src/experiment/schema.ts`, which also makes the form.',
    '',
    '| field | default | values | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot('../../docs/experiment.md');
});
