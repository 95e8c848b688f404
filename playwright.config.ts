import { defineConfig } from '@playwright/test';

/** Set by scripts/test.mjs; by hand `npx playwright test` takes Playwright's own Chromium. */
const { CHROMIUM_PATH, LAB_PORT = '4180', LAB_GPU } = process.env;
const address = `http://127.0.0.1:${LAB_PORT}`;

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // One page with a GPU at a time: on a software adapter two would only starve each other.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env['CI']),
  timeout: 300_000,
  expect: { timeout: 20_000 },
  use: {
    baseURL: address,
    trace: 'retain-on-failure',
    launchOptions: {
      ...(CHROMIUM_PATH ? { executablePath: CHROMIUM_PATH } : {}),
      args: [
        '--headless=new',
        '--no-sandbox',
        '--enable-unsafe-webgpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
        // Without these Chromium on Linux keeps WebGPU on SwiftShader beside a working GPU.
        ...(LAB_GPU ? ['--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist'] : []),
      ],
    },
  },
  webServer: {
    command: `node node_modules/vite/bin/vite.js preview --host 127.0.0.1 --port ${LAB_PORT} --strictPort`,
    url: address,
    reuseExistingServer: false,
  },
});
