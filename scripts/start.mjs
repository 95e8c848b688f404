import { ensureBuild } from './setup/build.mjs';
import { ensurePackages } from './setup/packages.mjs';
import { freePort } from './setup/port.mjs';
import { root, runScript, say, SetupError } from './setup/process.mjs';

/**
 * `npm start`: installs, builds and serves the lab, each only when needed, and prints its address once it
 * answers. PORT and HOST choose where; browsers offer WebGPU on localhost and over https only.
 */
const host = process.env.HOST || '127.0.0.1';

function wantedPort() {
  const text = process.env.PORT;
  if (!text) return null;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new SetupError(`PORT is ${text}: set it to a whole number from 1 to 65535.`);
  }
  return port;
}

await runScript(async () => {
  const wanted = wantedPort();
  await ensurePackages();
  await ensureBuild();
  const port = await freePort(host, wanted ?? 4173, wanted ? 1 : 100);
  const { preview } = await import('vite');
  const server = await preview({ root, logLevel: 'error', preview: { host, port, strictPort: true } }).catch(
    (error) => {
      throw new SetupError(`port ${port} cannot be opened on ${host}: ${error.message}`);
    },
  );

  const loopback = host === '127.0.0.1' || host === '0.0.0.0';
  const address = `http://${loopback ? 'localhost' : host}:${port}/`;
  const response = await fetch(`http://${loopback ? '127.0.0.1' : host}:${port}/`);
  const html = await response.text();
  if (!response.ok || !html.includes('<script')) {
    throw new SetupError(
      `the server answers ${response.status} without the lab’s page: delete dist and start again.`,
    );
  }
  process.stdout.write(`shear-lab is open at ${address}\n`);

  const close = () => void server.close().finally(() => process.exit(0));
  process.on('SIGINT', close);
  process.on('SIGTERM', close);
  if (process.env.npm_lifecycle_event) {
    // npm passes a signal to the shell between it and us, which dies without passing it on.
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && close(), 500).unref();
  }
  say('Ctrl-C stops it.');
});
