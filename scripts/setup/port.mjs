import { createServer } from 'node:net';
import { SetupError } from './process.mjs';

/**
 * A port on which nothing listens, the first from `preferred` on.
 *
 * @throws SetupError when `tries` ports in a row are taken
 */
export async function freePort(host, preferred, tries = 100) {
  for (let port = preferred; port < preferred + tries; port++) {
    if (await isFree(host, port)) return port;
  }
  throw new SetupError(
    tries === 1
      ? `port ${preferred} is taken: set PORT to a free one, or leave it out.`
      : `ports ${preferred} to ${preferred + tries - 1} are all taken: set PORT to a free one.`,
  );
}

function isFree(host, port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
