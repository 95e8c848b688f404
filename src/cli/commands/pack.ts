import { join } from 'node:path';
import { describeAdapter } from '../../run/adapter-name';
import { peekRun } from '../../run/keeper';
import { isDone, progressOf, runName } from '../../run/kept-record';
import { VERSION } from '../../run/version';
import { plannedSettings } from '../../experiment/interventions';
import { refuse } from '../../formats/refusal';
import { exportRun } from '../../storage/archive';
import { newRecord } from '../../storage/kept-run';
import { readRunFolder } from '../../storage/node-folder';
import { textOption, type Answer, type Command, type CommandInput } from '../command';
import { isFolder, userPath } from '../files';
import { checkOutputFile, writeOutputFile } from '../output-folder';
import { KEPT } from './prune';

export const pack: Command = {
  name: 'pack',
  argument: { name: 'DIR' },
  summary: 'the run that prune left in DIR as one file, which the page takes in under Runs',
  options: { out: { value: 'FILE', help: 'where the file goes, such as run.shear-run.zip', required: true } },
  run: packRun,
};

async function packRun({ positionals, options }: CommandInput): Promise<Answer> {
  const [given, out] = [positionals[0]!, textOption(options, 'out')!];
  const path = join(userPath(given), KEPT);
  if (!(await isFolder(path))) return refuse(given, `it has no folder ${KEPT}, so prune did not write it`);
  await checkOutputFile('--out', out);
  const files = readRunFolder(path);
  const found = await peekRun(files);
  if (!found) return refuse(given, 'it holds no run that reached a checkpoint');
  const { state } = found.saved;
  const { step, totalSteps, meanLoss } = progressOf(state);
  const record = newRecord({
    name: runName(state.source.name, plannedSettings(state).target),
    note: '',
    colour: null,
    version: VERSION,
    status: isDone(state) ? 'finished' : 'stopped',
    experiment: state.experiment,
    interventions: state.interventions,
    adapter: describeAdapter(state.adapter),
    seed: state.experiment.seed,
    source: {
      name: state.source.name,
      hash: state.source.weightsSha256,
      parameters: state.source.parameters,
    },
    step,
    totalSteps,
    meanLoss,
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of exportRun(record, files)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  await writeOutputFile('--out', out, bytes);
  const json = { file: out, bytes: bytes.length, step, totalSteps };
  return { json, text: `${out}: ${(bytes.length / 1e6).toFixed(1)} MB, step ${step} of ${totalSteps}` };
}
