import { COMMON_OPTIONS, type Command } from './command';

const CALL = 'npm run -s cli --';
const MODEL = 'MODEL is a Hugging Face folder or the name of a bundled model.';

/** "prune EXPERIMENT --out DIR [--model MODEL]" */
export function usage({ name, argument, options }: Command): string {
  const argumentTexts = argument ? [argument.optional ? `[${argument.name}]` : argument.name] : [];
  const optionTexts = Object.entries(options).map(([option, { value, required }]) => {
    const text = `--${option}${value ? ` ${value}` : ''}`;
    return required ? text : `[${text}]`;
  });
  return [name, ...argumentTexts, ...optionTexts].join(' ');
}

/** What one command does and takes. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(
    ([name, { help, value }]: [string, Command['options'][string]]) => ({
      left: `--${name}${value ? ` ${value}` : ''}`,
      help,
    }),
  );
  const width = Math.max(...options.map(({ left }) => left.length));
  const lines = options.map(({ left, help }) => `  ${left.padEnd(width)}  ${help}`);
  const aliases = command.aliases?.length ? [`Also called ${command.aliases.join(', ')}.`] : [];
  const model = command.argument?.name === 'MODEL' || 'model' in command.options ? [MODEL] : [];
  return [`${CALL} ${usage(command)}`, command.summary, lines.join('\n'), ...aliases, ...model].join('\n\n');
}

/** All commands. */
export function generalHelp(commands: readonly Command[]): string {
  const lines = commands.map((command) => `  ${usage(command)}\n      ${command.summary}`);
  return `${CALL} COMMAND [--json] [--help] [--version]\n\n${lines.join('\n')}\n\n${MODEL}`;
}
