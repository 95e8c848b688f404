import { z } from 'zod';
import { openCorpus, type Corpus } from '../data/corpus';
import { evaluationWindows } from '../data/sampler';
import { loadTokenizer, type Tokenizer } from '../data/tokenizer';
import { createRunControl, RunCancelled, type RunControl } from '../experiment/control';
import type { RunEvent } from '../experiment/events';
import { runExperiment, type FlatModel, type SourceModel } from '../experiment/run';
import { runTokens } from '../experiment/run-size';
import { parseExperiment, type Experiment } from '../experiment/schema';
import { VERSION } from '../experiment/version';
import { readModelFolder, writeModelFolder, type InputFile } from '../formats/hugging-face';
import { zipFiles } from '../formats/zip';
import { openGpu, type Gpu } from '../gpu/device';
import { evaluateSets, evaluationBatch, meanLoss } from '../llama/evaluate';
import { generate } from '../llama/generate';
import { createInference, uploadModel } from '../llama/inference';
import { packParameters, parameterLayout, unpackParameters } from '../llama/parameters';
import type { Command, Report, RunStatus, SourceCard } from './protocol';

export interface LabEnvironment {
  gpu: GPU | undefined;
  /** Reads a file of the site, relative to the page; reports bytes as they come. @throws one sentence */
  read(path: string, onProgress?: (loaded: number, total: number) => void): Promise<ArrayBuffer>;
  post(report: Report, transfer?: Transferable[]): void;
}

interface OpenSource extends SourceModel {
  tokenizer: Tokenizer | null;
  /** Files that an export takes along unchanged. */
  extraFiles: { name: string; bytes: Uint8Array<ArrayBuffer> }[];
}

const cardSchema: z.ZodType<SourceCard> = z.object({
  name: z.string(),
  parameters: z.number(),
  tokens_trained: z.number(),
  context: z.number(),
  validation_loss: z.record(z.string(), z.number()),
});

/** Events wait this long for company, so that a fast run sends about twenty messages a second. */
const BATCH_MS = 50;
const GENERATION_CONTEXT = 512;

/** The engine behind the page: one device, one source model, at most one run. Commands come in order. */
export function createLab(environment: LabEnvironment) {
  const { post } = environment;
  let gpu: Gpu | null = null;
  let source: OpenSource | null = null;
  let corpus: { corpus: Corpus; trainTokens: number } | null = null;
  let run: { control: RunControl; done: Promise<void> } | null = null;
  let pruned: FlatModel | null = null;
  const cancelledGenerations = new Set<number>();

  const status = (value: RunStatus) => post({ type: 'status', status: value });
  const fail = (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    post({ type: 'failed', message: message.split('\n')[0]!, fatal: false });
  };

  async function device(): Promise<Gpu> {
    if (gpu) return gpu;
    gpu = await openGpu(environment.gpu, (reason) => {
      post({
        type: 'failed',
        message: `The graphics device was lost (${reason.split('\n')[0]}): press Prune to start again, with a smaller batch if it happens twice.`,
        fatal: true,
      });
    });
    post({ type: 'device', adapter: gpu.adapter });
    return gpu;
  }

  function checkErrors(): void {
    const error = gpu?.uncapturedError();
    if (error) throw new Error(`WebGPU reported an error: ${error.split('\n')[0]}`);
  }

  async function stopRun(): Promise<void> {
    run?.control.cancel();
    await run?.done;
    run = null;
    pruned = null;
  }

  function adopt(name: string, files: readonly InputFile[], card: SourceCard | null): void {
    const folder = readModelFolder(files);
    const layout = parameterLayout(folder.config);
    const encoder = new TextEncoder();
    source = {
      name,
      config: folder.config,
      parameters: packParameters(layout, folder.tensors),
      tokenizer:
        folder.tokenizerJson === null
          ? null
          : loadTokenizer(folder.tokenizerJson, folder.tokenizerConfigJson),
      extraFiles: (
        [
          ['tokenizer.json', folder.tokenizerJson],
          ['tokenizer_config.json', folder.tokenizerConfigJson],
        ] as const
      )
        .filter(([, json]) => json !== null && json !== undefined)
        .map(([file, json]) => ({ name: file, bytes: encoder.encode(JSON.stringify(json)) })),
    };
    post({ type: 'source', name, config: folder.config, parameters: layout.parameterCount, card });
    status('ready');
  }

  async function open(name: string): Promise<void> {
    await stopRun();
    status('loading');
    await device();
    const folder = `models/${name}`;
    const file = async (fileName: string) => ({
      name: fileName,
      bytes: await environment.read(`${folder}/${fileName}`, (loaded, total) =>
        post({ type: 'loading', what: `${name}/${fileName}`, loaded, total }),
      ),
    });
    const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
    const files = await Promise.all(names.map(file));
    const cardBytes = await environment.read(`${folder}/card.json`).catch(() => null);
    const card = cardBytes && cardSchema.safeParse(JSON.parse(new TextDecoder().decode(cardBytes)));
    adopt(name, files, card?.success ? card.data : null);
  }

  async function loadCorpus(trainTokens: number): Promise<Corpus> {
    if (corpus && corpus.trainTokens >= trainTokens) return corpus.corpus;
    let files = 0;
    const { corpus: opened } = await openCorpus(
      async (path) => {
        const bytes = await environment.read(`corpus/${path}`);
        post({
          type: 'activity',
          what: 'Loading the corpus',
          done: ++files,
          total: files,
          secondsLeft: null,
        });
        return bytes;
      },
      { trainTokens },
    );
    corpus = { corpus: opened, trainTokens };
    return opened;
  }

  function needSource(): OpenSource {
    if (!source) throw new Error('No source model is open: choose one first.');
    return source;
  }

  async function start(value: unknown): Promise<void> {
    await stopRun();
    const experiment = parseExperiment(value);
    const model = needSource();
    const device_ = await device();
    const control = createRunControl();
    status('running');
    const done = execute(experiment, model, device_, control);
    run = { control, done };
  }

  async function execute(
    experiment: Experiment,
    model: OpenSource,
    device_: Gpu,
    control: RunControl,
  ): Promise<void> {
    let waiting: RunEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | null = null;
    const flush = () => {
      if (timer) clearTimeout(timer);
      timer = null;
      if (waiting.length === 0) return;
      post({ type: 'events', events: waiting });
      post({ type: 'memory', heldBytes: device_.heldBytes() });
      waiting = [];
    };
    const steps =
      experiment.prune.steps + (experiment.retraining === 'continued' ? experiment.retrain.steps : 0);
    let stepsDone = 0;
    const secondsLeft = () =>
      stepsDone === 0 ? null : ((control.elapsedMs() / stepsDone) * (steps - stepsDone)) / 1000;
    try {
      const opened = await loadCorpus(runTokens(experiment));
      pruned = await runExperiment(experiment, {
        gpu: device_,
        source: model,
        corpus: opened,
        turn: control,
        version: VERSION,
        emit(event) {
          waiting.push(event);
          if (event.type === 'step') {
            stepsDone = event.step;
            const what = event.stage === 'prune' ? 'Pruning' : 'Retraining';
            post({ type: 'activity', what, done: event.step, total: steps, secondsLeft: secondsLeft() });
          }
          timer ??= setTimeout(flush, BATCH_MS);
        },
        activity: (what, done, total) =>
          post({ type: 'activity', what, done, total, secondsLeft: secondsLeft() }),
      });
      checkErrors();
      flush();
      status('finished');
    } catch (error) {
      flush();
      if (error instanceof RunCancelled) {
        status('ready');
      } else {
        fail(error);
        status('failed');
      }
    }
  }

  async function write(
    id: number,
    which: 'source' | 'pruned',
    model: FlatModel,
    tokenizer: Tokenizer,
    prompt: string,
    options: { maxTokens: number; temperature: number; seed: number },
  ): Promise<void> {
    const device_ = await device();
    const view = uploadModel(device_, `${which} writing`, model.config, model.parameters);
    const context = Math.min(GENERATION_CONTEXT, model.config.maxPositionEmbeddings);
    const inference = await createInference(device_, `${which} writing`, view, { batch: 1, context });
    const tokens: number[] = [];
    const started = performance.now();
    const report = (done: boolean) =>
      post({
        type: 'generated',
        id,
        which,
        text: tokenizer.decode(tokens),
        done,
        tokensPerSecond: (tokens.length * 1000) / Math.max(1, performance.now() - started),
      });
    try {
      for await (const token of generate(inference, tokenizer.encode(prompt), options)) {
        if (cancelledGenerations.has(id)) break;
        tokens.push(token);
        report(false);
      }
      checkErrors();
      report(true);
    } finally {
      inference.destroy();
      view.destroy();
    }
  }

  async function generateBoth(command: Extract<Command, { type: 'generate' }>): Promise<void> {
    const model = needSource();
    if (!model.tokenizer) throw new Error('The source model has no tokenizer.json, so it cannot write text.');
    const { id, prompt } = command;
    const writers = [write(id, 'source', model, model.tokenizer, prompt, command)];
    if (pruned) writers.push(write(id, 'pruned', pruned, model.tokenizer, prompt, command));
    await Promise.all(writers);
    cancelledGenerations.delete(id);
  }

  async function evaluate(command: Extract<Command, { type: 'evaluate' }>): Promise<void> {
    const model = needSource();
    const device_ = await device();
    const { corpus: opened } = corpus ?? { corpus: await loadCorpus(0) };
    const context = Math.min(command.contextLength, model.config.maxPositionEmbeddings);
    const sets = opened.domains.map((d) => evaluationWindows(d, context, command.windows));
    const measure = async (which: 'source' | 'pruned', subject: FlatModel) => {
      const view = uploadModel(device_, `${which} evaluation`, subject.config, subject.parameters);
      const shape = { batch: evaluationBatch(context), context };
      const inference = await createInference(device_, `${which} evaluation`, view, shape);
      const started = performance.now();
      try {
        const sums = await evaluateSets(inference, sets, (done, total) => {
          const secondsLeft = (((performance.now() - started) / done) * (total - done)) / 1000;
          const what = `Evaluating the ${which} model on the validation split`;
          post({ type: 'activity', what, done, total, secondsLeft });
        });
        post({
          type: 'evaluated',
          id: command.id,
          which,
          loss: sums.map(meanLoss),
          tokens: sums.map((s) => s.predictions),
          done: true,
        });
      } finally {
        inference.destroy();
        view.destroy();
      }
    };
    await measure('source', model);
    if (pruned) await measure('pruned', pruned);
    checkErrors();
  }

  async function exportModel(): Promise<void> {
    if (!pruned) throw new Error('There is no pruned model yet: press Prune and let the run reach its cut.');
    const model = needSource();
    const layout = parameterLayout(pruned.config);
    const files = writeModelFolder(
      pruned.config,
      unpackParameters(layout, pruned.parameters),
      model.extraFiles,
    );
    const { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize } = pruned.config;
    const zip = await zipFiles(files);
    const fileName = `${model.name}-L${numHiddenLayers}-d${hiddenSize}-H${numAttentionHeads}-I${intermediateSize}.zip`;
    const bytes = zip.buffer;
    post({ type: 'exported', fileName, bytes }, [bytes]);
  }

  async function dispatch(command: Command): Promise<void> {
    switch (command.type) {
      case 'open':
        return open(command.source);
      case 'openFiles':
        await stopRun();
        status('loading');
        await device();
        return adopt('local', command.files, null);
      case 'start':
        return start(command.experiment);
      case 'pause':
        if (!run || run.control.paused()) return;
        run.control.pause();
        return status('paused');
      case 'resume':
        if (!run?.control.paused()) return;
        run.control.resume();
        return status('running');
      case 'step':
        if (!run) return;
        run.control.allowStep();
        return status('paused');
      case 'reset':
        await stopRun();
        return status(source ? 'ready' : 'idle');
      case 'generate':
        return generateBoth(command);
      case 'cancelGeneration':
        cancelledGenerations.add(command.id);
        return;
      case 'evaluate':
        return evaluate(command);
      case 'exportModel':
        return exportModel();
    }
  }

  return {
    /** Never throws: whatever goes wrong becomes a `failed` report. */
    async handle(command: Command): Promise<void> {
      try {
        await dispatch(command);
      } catch (error) {
        fail(error);
        if (command.type === 'open' || command.type === 'openFiles') status(source ? 'ready' : 'failed');
        if (command.type === 'start') status(source ? 'ready' : 'idle');
      }
    },
  };
}
