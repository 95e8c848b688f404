import { generate } from '../../llama/generate';
import { generationContext } from '../../llama/generation-context';
import { withModel } from '../../llama/inference';
import { openModel, tokenizerOf } from '../files';
import { openCommandGpu } from '../gpu';
import { numberOption, type Answer, type CommandInput } from '../command';

export async function generateText({ positionals, options }: CommandInput): Promise<Answer> {
  const { prompt } = options;
  if (typeof prompt !== 'string' || prompt === '') throw new Error('--prompt TEXT is needed, and not empty.');
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
  const { written, seconds } = await withModel(
    gpu,
    source.name,
    source,
    { batch: 1, context },
    async (inference) => {
      const written: number[] = [];
      const started = performance.now();
      for await (const token of generate(inference, promptTokens, { maxTokens, temperature, seed })) {
        written.push(token);
      }
      return { written, seconds: (performance.now() - started) / 1000 };
    },
  );
  gpu.throwOnError();
  const text = tokenizer.decode(written);
  return {
    json: { prompt, text, tokens: written, tokensPerSecond: written.length / seconds, adapter: gpu.adapter },
    text: prompt + text,
  };
}
