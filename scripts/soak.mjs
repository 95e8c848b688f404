import { spawn } from 'node:child_process';
import { ensurePackages } from './setup/packages.mjs';
import { packageCommand, root, runScript } from './setup/process.mjs';
import { ensureAdapter } from './setup/vulkan.mjs';

/**
 * `npm run soak`: a thousand kills, lost devices, resets and 10,000 steps (src/session/runs.soak.ts). Minutes to an
 * hour; SOAK=0.1 does a tenth. Its figures stand in docs/reliability.md.
 */
await runScript(async () => {
  await ensurePackages();
  const { env } = await ensureAdapter();
  const child = spawn(
    process.execPath,
    [
      packageCommand('vitest'),
      'run',
      '--config',
      'scripts/soak.vitest.config.mjs',
      '--reporter=verbose',
      ...process.argv.slice(2),
    ],
    { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' },
  );
  child.on('close', (code) => process.exit(code ?? 1));
});
