import { z } from 'zod';
import { fieldSchema, type Field, type FieldValue, type ValueOf } from './field';

/** Fields by name, in groups as deep as wanted. */
export interface FieldTree {
  readonly [name: string]: Field | FieldTree;
}

/** A field and its dotted path. */
export type TableField = Field & { key: string };

function isField(node: Field | FieldTree): node is Field {
  return typeof node['kind'] === 'string';
}

/** Every field of a tree with its dotted key, in the tree's order. */
export function listFields(tree: FieldTree, prefix = ''): TableField[] {
  return Object.entries(tree).flatMap(([name, node]) =>
    isField(node) ? [{ ...node, key: `${prefix}${name}` }] : listFields(node, `${prefix}${name}.`),
  );
}

/** What a field goes back to: a copy, so that nobody changes the table. */
export function defaultOf(field: Field): FieldValue {
  return Array.isArray(field.default) ? ([...field.default] as FieldValue) : (field.default as FieldValue);
}

/** The schema of a tree: missing fields take their defaults, unknown ones are refused. */
export function treeSchema<Tree extends FieldTree>(tree: Tree, prefix = ''): z.ZodType<ValueOf<Tree>> {
  const shape = Object.fromEntries(
    Object.entries(tree).map(([name, node]) => [
      name,
      isField(node)
        ? fieldSchema(node, `${prefix}${name}`).prefault(defaultOf(node) as never)
        : treeSchema(node, `${prefix}${name}.`).prefault({} as never),
    ]),
  );
  return z.strictObject(shape) as unknown as z.ZodType<ValueOf<Tree>>;
}

/** The value at a dotted path of nested objects. */
export function valueAt(values: unknown, key: string): FieldValue {
  return key.split('.').reduce((node, part) => (node as Record<string, unknown>)[part], values) as FieldValue;
}

/** A copy of nested objects with the value at a dotted path replaced; the value is not checked. */
export function withValueAt<T>(values: T, key: string, value: FieldValue): T {
  const [first, ...rest] = key.split('.') as [string, ...string[]];
  const node = values as Record<string, unknown>;
  return {
    ...node,
    [first]: rest.length ? withValueAt(node[first], rest.join('.'), value) : value,
  } as T;
}
