import { version } from '../../package.json';

/** The lab's version, which stands in every export. */
export const VERSION: string = version;
