import { answerPing, createDeadline, type Pulse } from './heartbeat';
import { createLab } from './lab';
import type { Command } from './protocol';
import { createSiteReader } from './site-files';
import { openPageStore } from '../storage/page-store';

/** The module worker that owns the GPU device: the page speaks with it through the protocol only. */
const scope = self as unknown as DedicatedWorkerGlobalScope;

/** Where the site's files lie; told by the page when it opens a model: a bundled worker may lie elsewhere. */
let baseUrl = scope.location.href;

const postPulse = (pulse: Pulse) => scope.postMessage(pulse);

const lab = createLab({
  gpu: scope.navigator.gpu,
  read: createSiteReader(
    () => baseUrl,
    (input, init) => scope.fetch(input, init),
  ),
  post: (report, transfer = []) => scope.postMessage(report, transfer),
  openStore: openPageStore,
  underDeadline: createDeadline(postPulse),
});

scope.addEventListener('message', (event: MessageEvent<Command>) => {
  if (answerPing(event.data, postPulse)) return;
  if ('baseUrl' in event.data) baseUrl = event.data.baseUrl;
  void lab.handle(event.data);
});
