import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { workerLicences } from './scripts/build/worker-licences.mjs';

/**
 * Nothing but the lab's own files may run, load or be spoken to. Styles may stand in elements, because the
 * charts place their parts so. Only in the built site: the development server needs inline scripts.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const contentSecurityPolicy: Plugin = {
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
      injectTo: 'head-prepend',
    },
  ],
};

/** The notices that the licences of the shipped packages ask for; the page links to them. */
const LICENCES = 'licences.txt';
const licences = workerLicences(LICENCES);

export default defineConfig({
  // Relative addresses, so that the built lab works from any folder of any static host.
  base: './',
  plugins: [react(), contentSecurityPolicy, licences.page],
  worker: { format: 'es', plugins: () => [licences.worker()] },
  build: { target: 'es2022', chunkSizeWarningLimit: 900, license: { fileName: LICENCES } },
  test: {
    include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
    // One Dawn device a file, and two cores: parallel files would fight over the software adapter.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
