import { RECORDED_RUN } from '../core/run-record';
import type { LabState } from '../core/lab-state';
import { playReplay, toggleReplay } from '../replay';
import type { PageCommand } from './command';

const cannotCompute = ({ engine }: LabState) =>
  engine.state === 'missing'
    ? 'This browser cannot compute here; the recorded run plays all the same.'
    : null;

/** A run goes on, or begins. */
const isBusy = ({ status }: LabState) => status === 'running' || status === 'paused';

const showsRecording = ({ recorded, shownRun }: LabState, state: LabState['recorded']['state']) =>
  shownRun === RECORDED_RUN && recorded.state === state;

export const pause: PageCommand = {
  name: 'Pause',
  key: ' ',
  help: 'Holds the run after the steps that are under way',
  unavailable: ({ status, pausing }) => (status === 'running' && !pausing ? null : 'No run is going on.'),
  perform: (lab) => lab.pause(),
};

export const resume: PageCommand = {
  name: 'Resume',
  key: ' ',
  help: 'Goes on with the run',
  unavailable: ({ status, pausing }) => (status === 'paused' || pausing ? null : 'No run is paused.'),
  perform: (lab) => lab.resume(),
};

export const holdRecording: PageCommand = {
  name: 'Hold',
  key: ' ',
  help: 'Holds the recorded run that plays',
  unavailable: (state) => (showsRecording(state, 'playing') ? null : 'No recorded run is playing.'),
  perform: toggleReplay,
};

export const continueRecording: PageCommand = {
  name: 'Go on',
  key: ' ',
  help: 'Goes on playing the recorded run',
  unavailable: (state) => (showsRecording(state, 'paused') ? null : 'No recorded run is held.'),
  perform: toggleReplay,
};

export const prune: PageCommand = {
  name: 'Prune',
  key: ' ',
  help: 'Starts a run with these settings',
  unavailable: (state) =>
    cannotCompute(state) ?? (isBusy(state) ? 'A run is going on: reset it first.' : null),
  perform: (lab) => lab.prune(),
};

export const playRecording: PageCommand = {
  name: 'Play the recorded run',
  help: 'Plays the run that comes with the page, from its start',
  unavailable: ({ recorded }) => (recorded.run ? null : 'The recorded run is not there.'),
  perform: playReplay,
};

export const playAgain: PageCommand = { ...playRecording, name: 'Play again' };

export const step: PageCommand = {
  name: 'Step',
  key: '.',
  help: 'Does one optimiser step and pauses',
  unavailable: cannotCompute,
  perform: (lab) => lab.step(),
};

export const reset: PageCommand = {
  name: 'Reset',
  help: 'Stops the run, which stays kept; the source model stays open',
  unavailable: (state) =>
    cannotCompute(state) ??
    (isBusy(state) || state.currentRun !== null || state.silent ? null : 'There is no run to stop.'),
  perform: (lab) => lab.reset(),
};
