import { findRun, followedRun, type LabState, planOfRun, planShown } from '../core/lab-state';
import { hasModels, RECORDED_RUN } from '../core/run-record';
import { linkTo } from '../address';
import { copyText } from '../copy-text';
import { exportMetrics } from '../export-metrics';
import type { Lab } from '../lab';
import { themeInForce } from '../use-theme';
import { setTheme, setView } from '../view-store';
import type { Plan } from '../../experiment/interventions';
import type { PageCommand } from './command';

const shownRun = (state: LabState) => findRun(state, state.shownRun);
const noRun = (state: LabState) => (shownRun(state) ? null : 'No run is shown.');
/** The plan of the run that is shown, also while the form holds a draft. */
const shownPlan = (state: LabState): Plan => {
  const run = state.shownRun === RECORDED_RUN ? null : shownRun(state);
  return run && !followedRun(state) ? planOfRun(state, run) : planShown(state);
};
const exportShown = (format: 'csv' | 'json') => (lab: Lab) => {
  const run = shownRun(lab.store.getState());
  if (run) void exportMetrics(lab, run.id, format);
};

export const share: PageCommand = {
  name: 'Share',
  help: 'Copies a link to what is shown: the run’s experiment with its changes on the way',
  unavailable: () => null,
  perform: async (lab) =>
    (await copyText(linkTo(shownPlan(lab.store.getState())))) ? 'Copied' : 'Copy the address bar',
};

export const exportCsv: PageCommand = {
  name: 'Metrics as CSV',
  help: 'Saves a row a step of the shown run',
  unavailable: noRun,
  perform: exportShown('csv'),
};

export const exportJson: PageCommand = {
  name: 'Metrics as JSON',
  help: 'Saves the whole log of the shown run',
  unavailable: noRun,
  perform: exportShown('json'),
};

export const exportModel: PageCommand = {
  name: 'Model as a Hugging Face folder (zip)',
  help: 'Saves the model that came out of the shown run',
  unavailable: (state) =>
    hasModels(shownRun(state)) ? null : 'The model can be saved when the shown run was cut to shape.',
  perform: (lab) => lab.exportModel(),
};

export const showCorpus: PageCommand = {
  name: 'Corpus',
  help: 'Shows what the models read, and whom to thank for it',
  unavailable: () => null,
  perform: () => setView({ dialog: 'corpus' }),
};

export const listKeys: PageCommand = {
  name: 'Keys',
  key: '?',
  help: 'Shows this list',
  unavailable: () => null,
  perform: () => setView({ dialog: 'keys' }),
};

const otherTheme = () => (themeInForce() === 'dark' ? 'light' : 'dark');

export const switchTheme: PageCommand = {
  name: () => `Use the ${otherTheme()} theme`,
  help: 'Switches between the light and the dark theme',
  unavailable: () => null,
  perform: () => setTheme(otherTheme()),
};
