import { withDecoder } from '../../llama/decode';
import { generate as generateTokens } from '../../llama/generate';
import { generationContext } from '../../llama/generation-context';
import { openModel, tokenizerOf } from '../files';
import { openCommandGpu } from '../gpu';
import { numberOption, textOption, type Answer, type Command, type CommandInput } from '../command';

export const generate: Command = {
  name: 'generate',
  argument: { name: 'MODEL' },
  summary: 'continue a text',
  options: {
    prompt: { value: 'TEXT', help: 'what is continued', required: true },
    'max-tokens': { value: 'N', help: 'at most so many tokens (64)' },
    temperature: { value: 'X', help: '0 takes the likeliest token; above, the text is more varied (0.8)' },
    seed: { value: 'N', help: 'the same seed gives the same text on one adapter (17)' },
  },
  run: continueText,
};

async function continueText({ positionals, options }: CommandInput): Promise<Answer> {
  const prompt = textOption(options, 'prompt')!;
  const maxTokens = numberOption(options, 'max-tokens', 64, [1, 4096]);
  const temperature = numberOption(options, 'temperature', 0.8, [0, 10], false);
  const seed = numberOption(options, 'seed', 17, [0, 4294967295]);
  const opened = await openModel(positionals[0]!);
  const { source } = opened;
  const tokenizer = tokenizerOf(opened);
  if (!tokenizer) throw new Error('tokenizer.json is missing from the model folder, so text cannot be read.');
  const promptTokens = tokenizer.encode(prompt);
  const gpu = await openCommandGpu();
  const context = generationContext(source.config, promptTokens.length, maxTokens);
  const { written, seconds } = await withDecoder(gpu, source.name, source, context, async (decoder) => {
    const written: number[] = [];
    const started = performance.now();
    for await (const token of generateTokens(decoder, promptTokens, { maxTokens, temperature, seed })) {
      written.push(token);
    }
    return { written, seconds: (performance.now() - started) / 1000 };
  });
  gpu.throwOnError();
  const text = tokenizer.decode(written);
  return {
    json: { prompt, text, tokens: written, tokensPerSecond: written.length / seconds, adapter: gpu.adapter },
    text: prompt + text,
  };
}
