import { gateLayout } from '../../llama/gates';
import { parameterLayout, type Region } from '../../llama/parameters';
import type { Scores, Scoring } from './criterion';
import type { ColumnStatistics } from './statistics';
import { sumColumns } from './unit-weights';

/**
 * Scores of every column of what a matrix reads, from that column's activations and the matrix's weights in it: heads
 * by the channels that the output projection reads, added up; MLP units by what the down projection reads; hidden
 * dimensions by all that q, k and v, gate and up, and the LM head read of them, added up. The published scores
 * (Wanda-sp, FLAP) have the first two; the third is the same formula, with the hidden dimension's own consumers.
 *
 * @param activation what the column's activations come to
 * @param weight what is summed over the column's weights
 */
export async function scoreConsumers(
  { config, parameters, activations }: Scoring,
  activation: (statistics: ColumnStatistics, column: number) => number,
  weight: (w: number) => number,
): Promise<Scores> {
  const { normed, attended, activated } = await activations();
  const layout = parameterLayout(config);
  const { head: heads } = gateLayout(config);
  const { hiddenSize: d, intermediateSize: I } = config;
  const width = config.numAttentionHeads * config.headDim;
  const columns = (region: Region, count: number, statistics: ColumnStatistics) =>
    sumColumns(parameters, region, count, weight).map((sum, j) => sum * activation(statistics, j));

  const hidden = new Float64Array(d);
  const head = new Float64Array(heads.rows * heads.length);
  const intermediate = new Float64Array(config.numHiddenLayers * I);
  const read = (region: Region, site: number) =>
    columns(region, d, normed[site]!).forEach((score, j) => (hidden[j]! += score));
  layout.layers.forEach((regions, l) => {
    columns(regions.output, width, attended[l]!).forEach((score, j) => {
      head[l * heads.length + Math.floor(j / (width / heads.length))]! += score;
    });
    intermediate.set(columns(regions.down, I, activated[l]!), l * I);
    read(regions.qkv, 2 * l);
    read(regions.gateUp, 2 * l + 1);
  });
  read(layout.head, 2 * config.numHiddenLayers);
  return { values: { hidden, head, intermediate } };
}
