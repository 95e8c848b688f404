import type { Tokenizer } from '../data/tokenizer';
import type { Gpu } from '../gpu/device';
import { withDecoder, type Decoder } from '../llama/decode';
import { generate } from '../llama/generate';
import { generationContext } from '../llama/generation-context';
import { device, needSource, post, type LabState } from './environment';
import type { Job } from './jobs';
import { comparedModels, type Which } from './runs';
import type { Command } from './protocol';

type GenerateCommand = Extract<Command, { type: 'generate' }>;

/** One of the models that continue the prompt. */
interface Writer {
  which: Which;
  source: AsyncGenerator<number>;
  tokens: number[];
  /** Milliseconds of its own after the first token, which pays for compiling. */
  milliseconds: number;
}

/**
 * The source and, where there is one, the pruned model continue the prompt. They take turns token by token:
 * both texts grow side by side, and each one's speed counts its own time only.
 *
 * @throws one sentence, such as for a model without a tokenizer
 */
export async function writeSideBySide(
  state: LabState,
  command: GenerateCommand,
  { signal }: Job,
): Promise<void> {
  const { tokenizer } = needSource(state);
  if (!tokenizer) throw new Error('The source model has no tokenizer.json, so it cannot write text.');
  const prompt = tokenizer.encode(command.prompt);
  const gpu = await device(state);
  const models = await comparedModels(state, command.run);

  const write = (writers: Writer[]): Promise<void> => {
    const next = models[writers.length];
    if (!next) return takeTurns(state, { gpu, id: command.id, writers, tokenizer, signal });
    const context = generationContext(next.model.config, prompt.length, command.maxTokens);
    return withDecoder(gpu, `${next.which} writing`, next.model, context, (decoder) =>
      write([...writers, createWriter(next.which, decoder, prompt, command)]),
    );
  };
  await write([]);
}

function createWriter(which: Which, decoder: Decoder, prompt: number[], command: GenerateCommand): Writer {
  // One step at a time: what a writer has under way would run in the time of the other.
  const source = generate(decoder, prompt, { ...command, inFlight: 1 });
  return { which, source, tokens: [], milliseconds: 0 };
}

interface Writing {
  gpu: Gpu;
  id: number;
  writers: readonly Writer[];
  tokenizer: Tokenizer;
  signal: AbortSignal;
}

async function takeTurns(state: LabState, { gpu, id, writers, tokenizer, signal }: Writing): Promise<void> {
  const report = (writer: Writer, done: boolean) => {
    const { which, tokens, milliseconds } = writer;
    const tokensPerSecond = tokens.length < 2 ? 0 : ((tokens.length - 1) * 1000) / Math.max(1, milliseconds);
    post(state, { type: 'generated', id, which, text: tokenizer.decode(tokens), done, tokensPerSecond });
  };
  const going = new Set(writers);
  while (going.size > 0 && !signal.aborted) {
    for (const writer of going) {
      if (await writeToken(writer)) report(writer, false);
      else going.delete(writer);
    }
  }
  gpu.throwOnError();
  for (const writer of writers) report(writer, true);
}

/** @returns whether there was one more token */
async function writeToken(writer: Writer): Promise<boolean> {
  const started = performance.now();
  const next = await writer.source.next();
  if (next.done) return false;
  if (writer.tokens.length > 0) writer.milliseconds += performance.now() - started;
  writer.tokens.push(next.value);
  return true;
}
