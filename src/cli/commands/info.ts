import { llamaConfigJson } from '../../formats/hugging-face';
import { parameterLayout } from '../../llama/parameters';
import { forwardFlopsPerToken, trainingFlopsPerToken, weightBytes } from '../../pruning/cost';
import { openModel } from '../files';
import type { Answer, Command, CommandInput } from '../command';

export const info: Command = {
  name: 'info',
  argument: { name: 'MODEL' },
  summary: 'shape, parameters, FLOPs and memory of a model',
  options: {},
  run: describeModel,
};

async function describeModel({ positionals }: CommandInput): Promise<Answer> {
  const { source, tokenizerJson } = await openModel(positionals[0]!);
  const { config } = source;
  const layout = parameterLayout(config);
  const json = {
    name: source.name,
    config: llamaConfigJson(config),
    parameters: layout.parameterCount,
    weights_sha256: source.weightsSha256,
    tensors: layout.tensors.length,
    weightBytes: weightBytes(config),
    flopsPerToken: {
      forward: forwardFlopsPerToken(config, config.maxPositionEmbeddings),
      training: trainingFlopsPerToken(config, config.maxPositionEmbeddings),
    },
    tokenizer: tokenizerJson !== null,
  };
  const text = [
    `${source.name}: ${config.numHiddenLayers} layers, hidden size ${config.hiddenSize}, ${config.numAttentionHeads} heads (${config.numKeyValueHeads} key/value) of ${config.headDim}, MLP width ${config.intermediateSize}`,
    `vocabulary ${config.vocabSize}, context ${config.maxPositionEmbeddings}, ${config.tieWordEmbeddings ? 'tied' : 'untied'} embeddings`,
    `${json.parameters.toLocaleString('en')} parameters, ${(json.flopsPerToken.forward / 1e6).toFixed(2)} MFLOP a token forward`,
  ].join('\n');
  return { json, text };
}
