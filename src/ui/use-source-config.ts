import type { LlamaConfig } from '../llama/config';
import { followedRun, settingsShown } from './core/lab-state';
import { useLabState } from './lab-context';

/** The shape of the chosen source: of the run that is shown, from the engine, or before it has opened from the recorded run of that model. */
export function useSourceConfig(): LlamaConfig | null {
  return useLabState((state) => {
    const followed = followedRun(state)?.started.source;
    if (followed) return followed.config;
    const wanted = settingsShown(state).source;
    if (state.source?.name === wanted) return state.source.config;
    const recorded = state.recorded.run?.started.source;
    return recorded?.name === wanted ? recorded.config : null;
  });
}
