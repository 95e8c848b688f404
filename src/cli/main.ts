import { parseArgs } from 'node:util';
import { publishedJson } from '../fields/finite';
import { VERSION } from '../run/version';
import { COMMON_OPTIONS, Interrupted, UsageError, type Command, type CommandInput } from './command';
import { bench } from './commands/bench';
import { generate } from './commands/generate';
import { info } from './commands/info';
import { kit } from './commands/kit';
import { measure } from './commands/measure';
import { methods } from './commands/methods';
import { pack } from './commands/pack';
import { perplexity } from './commands/perplexity';
import { prune } from './commands/prune';
import { report } from './commands/report';
import { scores } from './commands/scores';
import { tasks } from './commands/tasks';
import { commandHelp, generalHelp } from './help';

/** As a shell says of a command that Ctrl-C ended: 128 and the number of the signal. */
const INTERRUPTED = 130;

const COMMANDS: readonly Command[] = [
  info,
  methods,
  scores,
  perplexity,
  tasks,
  prune,
  pack,
  report,
  generate,
  bench,
  measure,
  kit,
];

/**
 * Runs one command. Its answer goes to stdout, progress and errors to stderr.
 *
 * @returns the exit code: 0, 1 when the work failed, 2 when the command line was not understood, 130 after Ctrl-C
 */
export async function main(argv: string[]): Promise<number> {
  try {
    process.stdout.write(`${await answer(argv)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof Interrupted) return INTERRUPTED;
    return error instanceof UsageError ? 2 : 1;
  }
}

async function answer([name, ...rest]: string[]): Promise<string> {
  if (name === '--version' || name === 'version') return `shear-lab ${VERSION}`;
  if (name === undefined) throw new UsageError(generalHelp(COMMANDS));
  if (['help', '--help', '-h'].includes(name)) {
    return rest[0] === undefined ? generalHelp(COMMANDS) : commandHelp(commandOf(rest[0]));
  }
  const command = commandOf(name);
  // Asked for in a line that is wrong otherwise, help is given all the same.
  if (rest.some((word) => word === '-h' || word === '--help')) return commandHelp(command);
  if (rest.includes('--version')) return `shear-lab ${VERSION}`;
  const input = readCommandLine(command, rest);
  const { json, text } = await command.run(input);
  return input.options['json'] ? publishedJson(json, `The answer of ${command.name}`, 1) : text;
}

/** @throws UsageError when there is no such command */
function commandOf(name: string): Command {
  const command = COMMANDS.find((one) => one.name === name || one.aliases?.includes(name));
  if (command) return command;
  const names = COMMANDS.map((one) => one.name).join(', ');
  throw new UsageError(`There is no command ${name}: choose among ${names}, or see --help.`);
}

/** @throws UsageError in one sentence that names what is wrong */
function readCommandLine(command: Command, args: string[]): CommandInput {
  const known: Command['options'] = { ...command.options, ...COMMON_OPTIONS };
  const see = `see ${command.name} --help`;
  // Not strict: what is wrong is said in words of our own.
  const { positionals, tokens } = parseArgs({
    args,
    options: Object.fromEntries(
      Object.entries(known).map(([name, { value }]) => [
        name,
        { type: value ? 'string' : 'boolean' } as const,
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options: CommandInput['options'] = {};
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (!option) throw new UsageError(`${command.name} has no option ${token.rawName}: ${see}.`);
    if (token.name in options) throw new UsageError(`${token.rawName} is given twice: give it once.`);
    if (!option.value && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value.`);
    // "--out --json": a value is missing, not named "--json".
    if (option.value && (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))) {
      throw new UsageError(`${token.rawName} needs a value, ${option.value}: ${see}.`);
    }
    options[token.name] = token.value ?? true;
  }
  const { argument } = command;
  if (!argument && positionals.length > 0) {
    throw new UsageError(`${command.name} takes no argument, not ${positionals[0]}: ${see}.`);
  }
  if (argument && positionals.length > 1) {
    throw new UsageError(`${command.name} takes one ${argument.name}, not also ${positionals[1]}: ${see}.`);
  }
  if (argument && positionals.length === 0 && !argument.optional) {
    throw new UsageError(`${command.name} needs ${argument.name}: ${see}.`);
  }
  for (const [name, { required, value }] of Object.entries(known)) {
    if (required && (options[name] === undefined || options[name] === '')) {
      throw new UsageError(`--${name} ${value} is needed: ${see}.`);
    }
  }
  return { positionals, options };
}
