import type { LlamaConfig } from '../llama/config';
import { useLabState } from './lab-context';

/** The shape of the chosen source: from the engine, or before it has opened from the recorded run of that model. */
export function useSourceConfig(): LlamaConfig | null {
  return useLabState((state) => {
    const wanted = state.experiment.source;
    if (state.source?.name === wanted) return state.source.config;
    const recorded = state.recorded.run?.started.source;
    return recorded?.name === wanted ? recorded.config : null;
  });
}
