import { EXPERIMENT_FIELDS } from '../../experiment/schema';
import { METHODS } from '../../pruning/methods';
import { CRITERIA } from '../../pruning/scores';
import { listFields, type FieldTree } from '../../fields/table';
import { RETRAININGS } from '../../retraining';
import type { Answer, Command } from '../command';

export const methods: Command = {
  name: 'methods',
  summary: 'every registered method of pruning, score of units and retraining, with its fields',
  options: {},
  run: listMethods,
};

/** The fields of an experiment that a registered part brings. */
function fieldsOf(tree: FieldTree) {
  const keys = new Set(listFields(tree).map(({ key }) => key));
  return EXPERIMENT_FIELDS.filter(({ key }) => keys.has(key)).map(({ key, kind, label, default: value }) => ({
    key,
    kind,
    label,
    default: value,
  }));
}

function listMethods(): Promise<Answer> {
  const calibration = METHODS.flatMap((method) => ('calibration' in method.fields ? [method.fields] : []));
  const json = [
    ...METHODS.map(({ id, kind, label, help, fields }) => ({
      id,
      label,
      kind,
      help,
      fields: fieldsOf(fields),
    })),
    ...CRITERIA.map(({ id, label, help, sets }) => {
      const layers = (sets as readonly string[]).includes('layer');
      const widths = (sets as readonly string[]).includes('hidden');
      const kind = layers && widths ? 'depth and width score' : layers ? 'depth score' : 'width score';
      const fields = calibration.flatMap((tree) => fieldsOf({ calibration: tree.calibration }));
      return { id, label, kind, help, fields };
    }),
    ...RETRAININGS.map(({ id, label, help, fields }) => ({
      id,
      label,
      kind: 'retraining',
      help,
      fields: fieldsOf(fields),
    })),
  ];
  const width = Math.max(...json.map(({ id }) => id.length));
  const kinds = Math.max(...json.map(({ kind }) => kind.length));
  const text = json
    .map(({ id, kind, label }) => `${id.padEnd(width)}  ${kind.padEnd(kinds)}  ${label}`)
    .join('\n');
  return Promise.resolve({ json, text });
}
