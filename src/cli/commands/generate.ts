import { loadTokenizer } from '../../data/tokenizer';
import { generate } from '../../llama/generate';
import { createInference, uploadModel } from '../../llama/inference';
import { openModel } from '../files';
import { failOnUncapturedError, openCommandGpu } from '../gpu';
import { numberOption, type Answer, type CommandInput } from '../command';

/** Context of generation: models of long context are not worked at full length for a few words. */
const MAX_CONTEXT = 512;

export async function generateText({ positionals, options }: CommandInput): Promise<Answer> {
  const { prompt } = options;
  if (typeof prompt !== 'string' || prompt === '') throw new Error('--prompt TEXT is needed, and not empty.');
  const maxTokens = numberOption(options, 'max-tokens', 64, [1, 4096]);
  const temperature = numberOption(options, 'temperature', 0.8, [0, 10], false);
  const seed = numberOption(options, 'seed', 17, [0, 4294967295]);
  const { source, tokenizerJson, tokenizerConfigJson } = await openModel(positionals[0]!);
  if (tokenizerJson === null)
    throw new Error('tokenizer.json is missing from the model folder, so text cannot be read.');
  const tokenizer = loadTokenizer(tokenizerJson, tokenizerConfigJson);
  const gpu = await openCommandGpu();
  const model = uploadModel(gpu, source.name, source);
  const context = Math.min(MAX_CONTEXT, source.config.maxPositionEmbeddings);
  const inference = await createInference(gpu, source.name, model, { batch: 1, context });
  const written: number[] = [];
  const started = performance.now();
  for await (const token of generate(inference, tokenizer.encode(prompt), { maxTokens, temperature, seed })) {
    written.push(token);
  }
  const seconds = (performance.now() - started) / 1000;
  failOnUncapturedError(gpu);
  const text = tokenizer.decode(written);
  return {
    json: { prompt, text, tokens: written, tokensPerSecond: written.length / seconds, adapter: gpu.adapter },
    text: prompt + text,
  };
}
