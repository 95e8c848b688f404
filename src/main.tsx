import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createSessionWorker } from './session/client';
import { isEmbedded, readAddress, writeAddress } from './ui/address';
import { App } from './ui/app';
import { PanelBoundary } from './ui/controls/panel-boundary';
import { createLab } from './ui/lab';
import { guardLeaving } from './ui/leaving';
import { watchMissingParts } from './ui/missing-parts';
import { openLab } from './ui/open-lab';
import { watchRuns } from './ui/recovery';
import '@fontsource-variable/ibm-plex-sans/wght.css';
import './ui/styles/index.css';

const embedded = isEmbedded(location.search);
const { problems, ...plan } = readAddress(location.search);
const lab = createLab(createSessionWorker, new URL('.', location.href).href, plan);
const updateAddress = writeAddress(lab, embedded);
guardLeaving(lab);
watchRuns(lab);
watchMissingParts(updateAddress);

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element "root".');
createRoot(root).render(
  <StrictMode>
    <PanelBoundary title="The page">
      <App lab={lab} embedded={embedded} />
    </PanelBoundary>
  </StrictMode>,
);

void openLab(lab, problems, 'gpu' in navigator);
