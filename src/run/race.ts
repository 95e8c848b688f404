import { hashWords } from '../data/random';
import { startSampler } from '../data/sampler';
import type { FlatModel } from '../llama/parameters';
import type { Candidate, Choice } from '../pruning/race/pool';
import { raceSteps } from '../pruning/race/halving';
import { cutModel } from '../pruning/surgery';
import type { RaceEvent } from './events';
import { domainLosses } from './losses';
import { stepInputs } from './retrain';
import type { Run } from './run-context';
import type { RunControl } from './run-control';
import { plannedRace, plannedTraining } from './run-size';
import { where, withTraining, type Training } from './stages';
import { teacherOf } from './teacher';
import { trainSteps } from './train-steps';

/** Key of the random stream that the batches of a race are drawn from, so that retraining draws what it always did. */
const RACE_STREAM = 5;

/** A candidate on its way. */
interface Entrant extends Candidate {
  /** Its place in the pool, from 1 on. */
  number: number;
  /** Weights and moments after its last round; null where it has yet to be cut, or is out. */
  tensors: ReadonlyMap<string, Float32Array> | null;
}

interface Judged {
  entrant: Entrant;
  at: ReturnType<typeof where>;
  loss: number[];
  meanLoss: number;
}

/**
 * Lets candidates heal for some steps each and halves their number in every round; the choice that is left decides the
 * run's mask, and what was trained is thrown away (docs/method.md, section 14). One candidate at a time is on the
 * GPU. Half of the pool at most waits in main memory, as weights and both moments. Tokens count as the run's, steps do
 * not; changes wait for the stage that follows, so that a race depends on the experiment alone.
 *
 * @param pool two candidates or more, of one shape
 * @param startOf the model that a mask cuts
 * @throws the control's reason when it is cancelled, or an Error of one sentence.
 */
export async function runRace(
  run: Run,
  pool: readonly Candidate[],
  startOf: (mask: Float32Array) => FlatModel,
): Promise<Choice> {
  const { state } = run;
  const { experiment } = state;
  const rounds = plannedRace(experiment);
  const total = raceSteps(rounds);
  const cutTo = (mask: Float32Array) => {
    const { config, parameters } = startOf(mask);
    return cutModel(config, parameters, mask);
  };
  const meanOf = meanBy(state.mixture);
  let entrants: Entrant[] = pool.map((candidate, i) => ({ ...candidate, number: i + 1, tensors: null }));
  const { config, parameters } = cutTo(entrants[0]!.mask);
  const options = {
    config,
    parameters,
    label: 'race',
    shape: { batch: experiment.retrain.batchSize, context: experiment.contextLength },
    extension: null,
    teacher: teacherOf(run, 'retrain'),
  };
  return withTraining(run, options, new Map(), async (training) => {
    const { trainer } = training;
    let sampler = startSampler(
      hashWords(experiment.seed, RACE_STREAM),
      experiment.contextLength,
      run.corpus.domains.length,
    );
    let done = 0;
    for (const [r, round] of rounds.entries()) {
      const judged: Judged[] = [];
      let drawn = sampler;
      for (const [i, entrant] of entrants.entries()) {
        const what = `Race: round ${r + 1} of ${rounds.length}, candidate ${i + 1} of ${entrants.length}`;
        const weights = new Map([['weights', cutTo(entrant.mask).parameters]]);
        for (const { name, slice } of trainer.state()) {
          const values = entrant.tensors ? entrant.tensors.get(name) : weights.get(name);
          trainer.write(name, values ?? new Float32Array(slice.size / 4));
        }
        entrant.tensors = null;
        drawn = await trainOn(run, training, { ...round, sampler }, (step) => {
          run.activity(`${what}, step ${step} of ${round.to}`, ++done, total, 'race step');
        });
        const loss = await domainLosses(run, training.inference, `${what}: held-out loss`);
        judged.push({ entrant, at: where(run), loss, meanLoss: meanOf(loss) });
        if (r + 1 < rounds.length) {
          const tensors = new Map<string, Float32Array>();
          for (const { name } of trainer.state()) tensors.set(name, await trainer.read(name));
          entrant.tensors = tensors;
        }
        // Whoever is behind so many already is out, and needs no memory.
        for (const { entrant: out } of ranked(judged).slice(round.goOn)) out.tensors = null;
      }
      const better = new Set(ranked(judged).slice(0, round.goOn));
      for (const one of judged) run.emit(raceEvent(one, r + 1, round.to, better.has(one)));
      entrants = judged.filter((one) => better.has(one)).map(({ entrant }) => entrant);
      sampler = drawn;
    }
    const { layers, widths, swaps } = entrants[0]!;
    return { layers, widths, swaps };
  });
}

/** By their mean loss; of equal ones the earlier candidate comes first. */
function ranked(judged: readonly Judged[]): Judged[] {
  return [...judged].sort((a, b) => a.meanLoss - b.meanLoss || a.entrant.number - b.entrant.number);
}

/**
 * Trains what is on the trainer from its step `from` to its step `to`, at the rates that the run's own weights would
 * have from its start, as a run of its own that nobody hears of.
 *
 * @returns the sampler after its steps; the run's tokens are counted up
 */
async function trainOn(
  run: Run,
  { trainer }: Training,
  { from, to, sampler }: { from: number; to: number; sampler: Run['state']['sampler'] },
  onStep: (step: number) => void,
): Promise<Run['state']['sampler']> {
  const { state } = run;
  const { prune, retrain } = plannedTraining(state.experiment);
  const own: Run = {
    ...run,
    control: withoutChanges(run.control),
    keeper: undefined,
    emit(event) {
      if (event.type === 'step') onStep(event.step);
    },
    state: { ...state, sampler, step: from, stageStart: 0, interventions: [], applied: 0 },
  };
  await trainSteps(own, {
    name: 'retrain',
    trainer,
    batchSize: retrain.batchSize,
    steps: () => to,
    inputs: (settings, s) => stepInputs(settings, s, prune.steps + retrain.steps),
    evaluate: () => Promise.resolve(),
  });
  state.tokens = own.state.tokens;
  return own.state.sampler;
}

function withoutChanges(control: RunControl): RunControl {
  return {
    ...control,
    step: () => control.step(true),
    changesWaiting: () => false,
    takeChanges: () => [],
  };
}

function meanBy(weights: readonly number[]) {
  const sum = weights.reduce((a, b) => a + b, 0);
  return (values: readonly number[]) =>
    values.reduce((mean, value, i) => mean + (weights[i]! / sum) * value, 0);
}

function raceEvent(
  { entrant, at, loss, meanLoss }: Judged,
  round: number,
  steps: number,
  goesOn: boolean,
): RaceEvent {
  return {
    type: 'race',
    ...at,
    round,
    candidate: entrant.number,
    label: entrant.label,
    layers: entrant.keptLayers,
    steps,
    loss,
    meanLoss,
    goesOn,
  };
}
