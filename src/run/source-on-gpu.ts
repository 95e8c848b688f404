import type { Gpu } from '../gpu/device';
import type { ModelView } from '../llama/model';
import { uploadModel } from '../llama/inference';
import type { FlatModel } from '../llama/parameters';

/** The source's weights on the GPU: uploaded when they are first asked for, and shared by all that read them. */
export interface SourceOnGpu {
  view(): ModelView;
  /** Gives them back; what asks again has them uploaded again. */
  release(): void;
}

export function sourceOnGpu(gpu: Gpu, source: FlatModel): SourceOnGpu {
  let uploaded: ReturnType<typeof uploadModel> | null = null;
  return {
    view: () => (uploaded ??= uploadModel(gpu, 'source model', source)),
    release() {
      uploaded?.destroy();
      uploaded = null;
    },
  };
}
