import { sheared } from './sheared';

/** Every method of pruning; a new one is a file of this folder and a line here. */
export const METHODS = [sheared] as const;

export type MethodId = (typeof METHODS)[number]['id'];
