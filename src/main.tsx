import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createSessionWorker } from './session/client';
import { isEmbedded, readAddress, writeAddress } from './ui/address';
import { App } from './ui/app';
import { createLab } from './ui/lab';
import { openLab } from './ui/open-lab';
import '@fontsource-variable/ibm-plex-sans/wght.css';
import './ui/styles/index.css';

const embedded = isEmbedded(location.search);
const { experiment, problems } = readAddress(location.search);
const lab = createLab(createSessionWorker, new URL('.', location.href).href, experiment);
writeAddress(lab, embedded);

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element "root".');
createRoot(root).render(
  <StrictMode>
    <App lab={lab} embedded={embedded} />
  </StrictMode>,
);

void openLab(lab, problems, 'gpu' in navigator);
