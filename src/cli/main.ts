import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Answer, CommandInput } from './command';
import { bench } from './commands/bench';
import { evaluate } from './commands/eval';
import { evaluateTasks } from './commands/evaluate';
import { generateText } from './commands/generate';
import { info } from './commands/info';
import { kit } from './commands/kit';
import { measure } from './commands/measure';
import { prune } from './commands/prune';
import { report } from './commands/report';

interface CommandDescription {
  usage: string;
  summary: string;
  options: NonNullable<ParseArgsConfig['options']>;
  positionals: number | 'optional';
  run(input: CommandInput): Promise<Answer>;
}

const COMMANDS: Record<string, CommandDescription> = {
  info: {
    usage: 'info MODEL',
    summary: 'shape, parameters, FLOPs and memory of a model',
    options: {},
    positionals: 1,
    run: info,
  },
  eval: {
    usage: 'eval MODEL [--split validation|test] [--windows N] [--context T] | eval MODEL --tokens FILE',
    summary: 'loss and perplexity by domain, or over token sequences of your own',
    options: {
      tokens: { type: 'string' },
      split: { type: 'string' },
      windows: { type: 'string' },
      context: { type: 'string' },
    },
    positionals: 1,
    run: evaluate,
  },
  evaluate: {
    usage: 'evaluate MODEL [--tasks all|NAME,NAME] [--limit N]',
    summary: 'accuracy on the bundled tasks with 95 % intervals; --limit takes the first N items of each',
    options: { tasks: { type: 'string' }, limit: { type: 'string' } },
    positionals: 1,
    run: evaluateTasks,
  },
  prune: {
    usage: 'prune EXPERIMENT.json --out DIR [--model MODEL]',
    summary:
      'run an experiment; writes a Hugging Face folder, metrics.jsonl, run.json (the log that the page replays) and summary.json',
    options: { out: { type: 'string' }, model: { type: 'string' } },
    positionals: 1,
    run: prune,
  },
  report: {
    usage:
      'report EXPERIMENT.json|NAME|DIR [--model MODEL] [--arms NAME,NAME] [--tasks all|none|NAME,NAME] [--limit N] [--windows N] [--csv FILE] [--markdown FILE]',
    summary:
      'run an experiment (or take the run that prune left in DIR), train the same shape from scratch, and measure all models side by side',
    options: {
      model: { type: 'string' },
      arms: { type: 'string' },
      tasks: { type: 'string' },
      limit: { type: 'string' },
      windows: { type: 'string' },
      csv: { type: 'string' },
      markdown: { type: 'string' },
    },
    positionals: 1,
    run: report,
  },
  generate: {
    usage: 'generate MODEL --prompt TEXT [--max-tokens N] [--temperature X] [--seed N]',
    summary: 'continue a text',
    options: {
      prompt: { type: 'string' },
      'max-tokens': { type: 'string' },
      temperature: { type: 'string' },
      seed: { type: 'string' },
    },
    positionals: 1,
    run: generateText,
  },
  bench: {
    usage: 'bench [MODEL] [--profile] [--batch B] [--timed N] [--steps N] [--kernels gpu]',
    summary:
      'times, dispatches, submits, read-backs and bytes of a pruning step; --profile: by kernel; --kernels gpu: those for a GPU on a software adapter, too',
    options: {
      profile: { type: 'boolean' },
      batch: { type: 'string' },
      timed: { type: 'string' },
      steps: { type: 'string' },
      kernels: { type: 'string' },
    },
    positionals: 'optional',
    run: bench,
  },
  measure: {
    usage: 'measure limits | measure counts | measure sweep [--seconds N] [--models NAME,NAME]',
    summary:
      'what the adapter reaches at most; what a step does, by kernel; every variant of a kernel at the shapes of the bundled models',
    options: { seconds: { type: 'string' }, models: { type: 'string' } },
    positionals: 1,
    run: measure,
  },
  kit: {
    usage: 'kit KIT.json',
    summary: 'the tables of what `npm run gpu-kit` measured on another machine',
    options: {},
    positionals: 1,
    run: kit,
  },
};

function help(): string {
  const lines = Object.values(COMMANDS).map(({ usage, summary }) => `  ${usage}\n      ${summary}`);
  return `npm run -s cli -- COMMAND [--json]\n\n${lines.join('\n')}\n\nMODEL is a Hugging Face folder or the name of a bundled model.`;
}

/** Runs one command. Output goes to stdout, progress and errors to stderr; returns the exit code. */
export async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (!name || name === 'help' || name === '--help') {
    process.stdout.write(`${help()}\n`);
    return name ? 0 : 2;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    process.stderr.write(`There is no command ${name}.\n\n${help()}\n`);
    return 2;
  }
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: { ...command.options, json: { type: 'boolean' } },
      allowPositionals: true,
    });
    const wanted = command.positionals === 'optional' ? [0, 1] : [command.positionals];
    if (!wanted.includes(positionals.length)) throw new Error(`Usage: npm run -s cli -- ${command.usage}`);
    const answer = await command.run({ positionals, options: values });
    process.stdout.write(values['json'] ? `${JSON.stringify(answer.json, null, 1)}\n` : `${answer.text}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
