import { describe, expect, it } from 'vitest';
import { defaultExperiment } from '../../experiment/schema';
import type { Command } from '../../session/protocol';
import { exampleConfig, exampleStarted } from '../core/example-run';
import type { LabState } from '../core/lab-state';
import { beginRun, RECORDED_RUN } from '../core/run-record';
import { createLab } from '../lab';
import { nameOf, perform } from './command';
import { commandOfKey, KEYED_COMMANDS } from './keys';
import { pause, prune, reset, step } from './run-commands';

function setUp(change: Partial<LabState>) {
  const posted: Command['type'][] = [];
  const lab = createLab(
    () => ({
      postMessage: (message) => void posted.push((message as Command).type),
      terminate: () => undefined,
      addEventListener: () => undefined,
    }),
    'https://lab.example/',
    { experiment: defaultExperiment(), interventions: [] },
  );
  lab.store.setState({
    engine: { state: 'open', adapter: null },
    status: 'ready',
    source: { name: 'nano', weightsSha256: null, config: exampleConfig, parameters: 9, card: null },
    ...change,
  });
  return { lab, posted };
}

const going = { records: [beginRun('a', exampleStarted())], currentRun: 'a', shownRun: 'a' };
const recorded = (state: LabState['recorded']['state']) => ({
  shownRun: RECORDED_RUN,
  recorded: { state, run: beginRun(RECORDED_RUN, exampleStarted()) },
});

describe('commands', () => {
  it.each([
    ['Prune', {}],
    ['Pause', { ...going, status: 'running' }],
    ['Resume', { ...going, status: 'running', pausing: true }],
    ['Resume', { ...going, status: 'paused' }],
    ['Hold', recorded('playing')],
    ['Go on', recorded('paused')],
    ['Prune', recorded('ended')],
  ] as [string, Partial<LabState>][])('space is %s', (name, state) => {
    expect(nameOf(commandOfKey(setUp(state).lab, ' ')!)).toBe(name);
  });

  it('a key does what its command does', async () => {
    const { lab, posted } = setUp({ ...going, status: 'running' });
    await perform(lab, commandOfKey(lab, ' ')!);
    await perform(lab, commandOfKey(lab, ' ')!);
    await perform(lab, commandOfKey(lab, '.')!);
    expect(posted).toEqual(['pause', 'resume', 'step']);
    expect(commandOfKey(lab, 'q')).toBeNull();
  });

  it('one that is not possible says why and does nothing', async () => {
    const { lab, posted } = setUp({ engine: { state: 'missing', adapter: null }, status: 'failed' });
    for (const command of [prune, pause, step, reset]) await perform(lab, command);
    expect(posted).toEqual([]);
    expect(lab.store.getState().notices.map(({ text }) => text)).toEqual([
      'This browser cannot compute here; the recorded run plays all the same.',
      'No run is going on.',
    ]);
  });

  it('Reset is possible for a run, and for an engine that does not answer', () => {
    const reason = (state: Partial<LabState>) => reset.unavailable(setUp(state).lab.store.getState());
    expect(reason({})).toBe('There is no run to stop.');
    expect(reason(going)).toBeNull();
    expect(reason({ silent: true })).toBeNull();
  });

  it('of the commands with one key at most one is possible', () => {
    for (const state of [{}, going, recorded('playing'), { ...going, status: 'paused' as const }]) {
      const now = setUp(state).lab.store.getState();
      const possible = KEYED_COMMANDS.filter(
        ({ key, unavailable }) => key === ' ' && unavailable(now) === null,
      );
      expect(possible.filter((command) => command !== prune).length).toBeLessThanOrEqual(1);
    }
  });
});
