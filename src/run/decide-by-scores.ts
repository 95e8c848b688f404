import { allFinite } from '../fields/finite';
import type { FlatModel } from '../llama/parameters';
import { candidatePool, maskOfChoice, type Choice } from '../pruning/race/pool';
import { compensated } from '../pruning/scores/compensation';
import type { ActivationStatistics } from '../pruning/scores/statistics';
import { takeChanges } from './changes';
import type { GatesEvent } from './events';
import { weightSteps } from './phases';
import { runRace } from './race';
import { stepInputs } from './retrain';
import { currentSettings, type Decide, type DecidedMask, type Run, type Subject } from './run-context';
import { plannedRace, plannedTraining } from './run-size';
import { scoreOptions, scoreUnits, withScores } from './score-units';
import { evaluateMasked, scoredFor, withTraining } from './stages';
import { teacherOf } from './teacher';
import { snapshot, trainSteps, type TrainingStage } from './train-steps';

/** What the mask is made by: the experiment's own scores, or what wins the race that it asks for. */
async function choose(run: Run, subject: Subject): Promise<Choice> {
  const { state } = run;
  const {
    scores: { layers, widths },
    race,
  } = state.experiment;
  if (state.race) return state.race;
  if (plannedRace(state.experiment).length === 0) return { layers, widths, swaps: [] };
  const { pool, activations } = await withScores(
    run.gpu,
    subject,
    scoredFor(run),
    [layers, widths],
    async (by, measured) => ({
      pool: await candidatePool(
        subject.config,
        { layers, widths },
        by,
        scoreOptions(currentSettings(run)),
        race.candidates,
      ),
      activations: await measured(),
    }),
  );
  if (pool.length < race.candidates) {
    throw new Error(
      `Candidates (race.candidates) is ${race.candidates}, but scores and exchanged layers give ${pool.length} different masks at this target: ask for no more than that.`,
    );
  }
  state.race = await runRace(run, pool, (mask) => startOf(subject, mask, activations));
  await run.keeper?.checkpoint(snapshot(run), new Map());
  return state.race;
}

/** The subject as it is cut to `mask`: with biases where they make up for what goes. */
function startOf(subject: Subject, mask: Float32Array, activations: ActivationStatistics | null): FlatModel {
  return activations ? compensated(subject, mask, activations) : subject;
}

/**
 * One shot: the units with the smallest scores go, at once or over some steps in which the weights train
 * (docs/method.md, section 11). Where several masks race, the winner's is the run's (section 14).
 */
export const decideByScores: Decide = async (run, subject, saved) => {
  const { state, emit } = run;
  const { config } = subject;
  const choice = await choose(run, subject);
  const scores = await scoreUnits(run.gpu, subject, scoredFor(run), choice);
  // What was changed while units were scored still counts: the cut comes after it.
  takeChanges(run);
  const maskNow = () => maskOfChoice(config, scores, choice, scoreOptions(currentSettings(run)));
  const { steps } = plannedTraining(currentSettings(run)).prune;
  if (steps > 0 || saved.size > 0) return closeOverSteps(run, subject, saved, maskNow);
  const mask = maskNow();
  emit(maskEvent(state.step, mask));
  return { model: startOf(subject, mask, scores.activations), mask, moments: new Map() };
};

/**
 * The mask closes while the weights train, on one schedule with retraining: before step s of K what goes is worth
 * 1 − (s + 1)/(K + 1), so that it fades evenly and the cut takes the last of it.
 */
function closeOverSteps(
  run: Run,
  subject: Subject,
  saved: ReadonlyMap<string, Float32Array>,
  maskNow: () => Float32Array,
): Promise<DecidedMask> {
  const { state, emit } = run;
  const { config } = subject;
  const { experiment } = state;
  const { batchSize } = plannedTraining(experiment).prune;
  const options = {
    config,
    parameters: subject.view.parameters,
    label: 'pruning',
    shape: { batch: batchSize, context: experiment.contextLength },
    extension: null,
    teacher: teacherOf(run, 'prune'),
  };
  return withTraining(run, options, saved, async ({ trainer, inference: masked }) => {
    let mask = maskNow();
    const gatesAfter = (step: number) => {
      const { steps } = plannedTraining(currentSettings(run)).prune;
      const left = Math.max(0, 1 - step / (steps + 1));
      return mask.map((value) => (value === 0 ? left : value));
    };
    const stage: TrainingStage = {
      name: 'prune',
      trainer,
      batchSize,
      steps: (settings) => plannedTraining(settings).prune.steps,
      inputs(settings, s) {
        trainer.setGates(gatesAfter(s + 1));
        return stepInputs(settings, s, weightSteps(settings));
      },
      readFrame(_, s, evaluates) {
        if (!evaluates) return null;
        const event = maskEvent(state.step, gatesAfter(s + 1));
        return Promise.resolve(() => emit(event));
      },
      onChange() {
        mask = maskNow();
        return Promise.resolve();
      },
      evaluate: () => evaluateMasked(run, masked, gatesAfter(state.step - state.stageStart)),
    };
    await trainSteps(run, stage);
    const parameters = allFinite(await trainer.read('weights'), `The weights after step ${state.step}`);
    const moments = new Map<string, Float32Array>();
    for (const name of ['weights.firstMoment', 'weights.secondMoment']) {
      moments.set(name, await trainer.read(name));
    }
    return { model: { config, parameters }, mask, moments };
  });
}

/** A mask of zeros, ones and what fades, as the anatomy shows it. */
function maskEvent(step: number, gates: Float32Array): GatesEvent {
  return { type: 'gates', step, values: Uint8Array.from(gates, (value) => Math.round(255 * value)) };
}
