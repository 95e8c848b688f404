import { cutConfig } from '../run/cut-config';
import { tellingWhere } from '../fields/finite';
import type { Corpus } from '../data/corpus';
import {
  findByWeights,
  findModelCard,
  readFamily,
  type ModelCard,
  type SiteReader,
} from '../data/model-family';
import type { Tokenizer } from '../data/tokenizer';
import { compareResults } from '../evaluation/compare';
import { chooseTasks, limitItems, readTask, readTaskIndex } from '../evaluation/read-tasks';
import type { TaskResult } from '../evaluation/result';
import type { Speed } from '../evaluation/speed';
import type { Task } from '../evaluation/task';
import { refuse } from '../formats/refusal';
import { weightsHash } from '../formats/weights-hash';
import { type LlamaConfig } from '../llama/config';
import type { FlatModel } from '../llama/parameters';
import { trainFromScratch, trainSourceOn } from '../run/from-scratch';
import { usesScalingLaw } from '../run/reference-losses';
import type { Arm, ArmReport, EvaluationReport } from './report';
import { pretrainingSpent, spentBy, type Spent } from './cost';
import { closestMember, readMember } from './family';
import { measureModel, measuringFlops, type HeldOutData, type ReportedModel } from './measure';
import { ARM_TITLES } from './table';
import { readTestText } from './text';
import type { RunContext, SourceModel } from '../run/run-context';
import type { RunModels } from '../run/run';
import type { Experiment } from '../experiment/schema';
import { rewarmedExperiment, scratchExperiment } from '../run/scratch-experiment';

/** What a report is asked to compare, and how thoroughly. */
export interface ReportRequest {
  arms: readonly Arm[];
  /** Names of tasks; empty for none. */
  tasks: 'all' | readonly string[];
  /** At most so many items of each task. */
  items: number;
  /** At most so many test windows of each domain. */
  windows: number;
}

export interface FinishedRun extends RunModels {
  experiment: Experiment;
}

export interface ReportContext extends Omit<RunContext, 'emit' | 'activity' | 'family'> {
  finished: FinishedRun;
  /** With as many training tokens as the run had, when the control is asked for. */
  corpus: Corpus;
  tokenizer: Tokenizer | null;
  read: SiteReader;
  /** What goes on, and the share of all work that is done, weighed by floating-point operations. */
  progress(what: string, share: number): void;
  /** The report so far, after each model. */
  partial(report: EvaluationReport): void;
}

/** A model that the report can have. */
interface Candidate {
  arm: Arm;
  config: LlamaConfig;
  /** Floating-point operations of training it for the report; 0 where it is there already. */
  training: number;
  obtain(advance: (share: number) => void): Promise<Omit<ReportedModel, 'arm'>>;
}

interface Measured {
  report: ArmReport;
  results: TaskResult[];
}

/**
 * Measures the models of a finished run side by side, training the control and reading the family's closest member
 * where they are asked for. Models that there are not (no retraining, no family) are left out.
 *
 * @throws the control's reason when it is cancelled, GpuError, or an Error of one sentence.
 */
export async function makeReport(request: ReportRequest, context: ReportContext): Promise<EvaluationReport> {
  const { finished, source, read, control, gpu } = context;
  const { experiment } = finished;
  const { contextLength } = experiment;
  const heldOut = await readHeldOut(request, context);
  const closest = request.arms.includes('family')
    ? await closestMember(read, source.weightsSha256, cutConfig(source.config, experiment), contextLength)
    : null;
  // By whatever name the source was opened.
  const closestName = closest && isModel(source, closest.card) ? source.name : (closest?.card.name ?? null);
  const candidates = (await candidatesOf(context, closest)).filter(({ arm }) => request.arms.includes(arm));

  const measuring = ({ config }: Candidate) => measuringFlops(config, heldOut);
  const total = candidates.reduce((sum, candidate) => sum + candidate.training + measuring(candidate), 0);
  let done = 0;
  const measured: Measured[] = [];
  const speeds = new Map<string, Speed>();
  const soFar = () => assemble(context, heldOut, closestName, measured);
  for (const candidate of candidates) {
    const { arm, training, obtain } = candidate;
    const title = ARM_TITLES[arm];
    const model = await obtain((share) =>
      context.progress(`${title}: training`, (done + share * training) / total),
    );
    done += training;
    measured.push(
      await tellingWhere(title, () =>
        measureModel(gpu, { arm, ...model }, heldOut, speeds, async (what, share) => {
          context.progress(`${title}: ${what}`, (done + share * measuring(candidate)) / total);
          await control.work();
        }),
      ),
    );
    done += measuring(candidate);
    context.partial(soFar());
  }
  return soFar();
}

async function readHeldOut(
  request: ReportRequest,
  { finished, corpus, read, tokenizer }: ReportContext,
): Promise<HeldOutData> {
  const { contextLength } = finished.experiment;
  const test = await readTestText(read, corpus, contextLength, request.windows);
  const tasks = await readTasks(read, request);
  if (tasks.length && !tokenizer) {
    throw new Error('The source model has no tokenizer.json, so tasks cannot be scored.');
  }
  return { context: contextLength, test, tasks, tokenizer };
}

async function readTasks(read: SiteReader, { tasks, items }: ReportRequest): Promise<Task[]> {
  if (tasks.length === 0) return [];
  const readFile = (path: string) => read(`tasks/${path}`);
  const chosen = chooseTasks(await readTaskIndex(readFile), tasks);
  return Promise.all(chosen.map(async (info) => limitItems(await readTask(readFile, info), items)));
}

/** Whether a card is that of this model. */
const isModel = (source: SourceModel, card: ModelCard) =>
  findByWeights([card], source.weightsSha256) !== null;

/** Every model that there is, in the report's order. */
async function candidatesOf(
  context: ReportContext,
  closest: Awaited<ReturnType<typeof closestMember>>,
): Promise<Candidate[]> {
  const { finished, source, corpus, read } = context;
  const { experiment, pruned, retrained } = finished;
  const spent = spentBy(experiment, source.config, corpus);
  // A site without its list of models can still be reported on.
  const own = await findModelCard(read, source.weightsSha256).catch(() => null);
  const given = (arm: Arm, name: string, model: FlatModel, took: Spent | null): Candidate => ({
    arm,
    config: model.config,
    training: 0,
    obtain: () => Promise.resolve({ ...model, name, spent: took }),
  });
  const candidates = [
    given('source', source.name, source, own && pretrainingSpent(source.config, own)),
    given('pruned', '', pruned, spent.pruned),
  ];
  if (retrained) candidates.push(given('retrained', '', retrained, spent.retrained));
  const trained = (
    arm: Arm,
    config: LlamaConfig,
    took: Spent,
    { steps }: Experiment['retrain'],
    train: typeof trainFromScratch,
  ): Candidate => ({
    arm,
    config,
    training: took.training + took.evaluation,
    async obtain(advance) {
      const model = await train(experiment, {
        ...context,
        family: usesScalingLaw(experiment) ? await readFamily(read, source.weightsSha256) : [],
        emit: (event) => event.type === 'step' && advance(event.step / steps),
        activity: () => undefined,
      });
      return { ...model, name: '', spent: took };
    },
  });
  const { retrain: scratch } = scratchExperiment(experiment);
  const { retrain: rewarmed } = rewarmedExperiment(experiment);
  candidates.push(
    trained('scratch', pruned.config, spent.scratch, scratch, trainFromScratch),
    trained('rewarmed', source.config, spent.rewarmed, rewarmed, trainSourceOn),
  );
  if (closest && !isModel(source, closest.card)) {
    const { card, config } = closest;
    candidates.push({
      arm: 'family',
      config,
      training: 0,
      async obtain() {
        const member = await readMember(read, card.name);
        if ((await weightsHash(member)) !== card.weights_sha256) {
          refuse(
            `models/${card.name}`,
            'its weights are not those that card.json describes (weights_sha256)',
          );
        }
        return { ...member, name: card.name, spent: pretrainingSpent(config, card) };
      },
    });
  }
  return candidates;
}

function assemble(
  { finished, source, version, gpu }: ReportContext,
  { context, test, tasks }: HeldOutData,
  closestMember: string | null,
  measured: readonly Measured[],
): EvaluationReport {
  const { experiment } = finished;
  const resultsOf = (arm: Arm) => measured.find(({ report }) => report.arm === arm)?.results;
  const [scratch, retrained] = [resultsOf('scratch'), resultsOf('retrained')];
  return {
    format: 'shear-lab report',
    formatVersion: 1,
    version,
    adapter: gpu.adapter,
    source: source.name,
    sourceSha256: source.weightsSha256,
    experiment,
    scratch: scratch ? scratchExperiment(experiment).retrain : null,
    closestMember,
    domains: test.map(({ name, title, windows }) => ({
      name,
      title,
      predictions: windows.windows * (context - 1),
    })),
    tasks: tasks.map(({ info: { name, title, metric, chance }, items }) => ({
      name,
      title,
      metric,
      chance,
      items: items.length,
    })),
    arms: measured.map(({ report }) => report),
    overScratch:
      scratch && retrained
        ? scratch.map((result, t) => compareResults(result, retrained[t]!).difference)
        : null,
  };
}
