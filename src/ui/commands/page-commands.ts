import { findRun, type LabState } from '../core/lab-state';
import { copyText } from '../copy-text';
import { exportMetrics } from '../export-metrics';
import type { Lab } from '../lab';
import { themeInForce } from '../use-theme';
import { setTheme, setView } from '../view-store';
import type { PageCommand } from './command';

const shownRun = (state: LabState) => findRun(state, state.shownRun);
const noRun = (state: LabState) => (shownRun(state) ? null : 'No run is shown.');
const exportShown = (format: 'csv' | 'json') => (lab: Lab) => {
  const run = shownRun(lab.store.getState());
  if (run) exportMetrics(run, format);
};

export const share: PageCommand = {
  name: 'Share',
  help: 'Copies the address, which holds the experiment',
  unavailable: () => null,
  perform: async () => ((await copyText(location.href)) ? 'Copied' : 'Copy the address bar'),
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
  help: 'Saves the pruned model',
  unavailable: ({ status, currentRun }) =>
    status === 'finished' && currentRun !== null ? null : 'The model can be saved when a run has finished.',
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
