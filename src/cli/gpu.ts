import { openGpu, type Gpu } from '../gpu/device';
import { nodeGpu } from '../gpu/node';

/** The device for a command. A lost device ends the command with its reason. */
export async function openCommandGpu(): Promise<Gpu> {
  const gpu = await openGpu(await nodeGpu(), (reason) => {
    process.stderr.write(`The graphics device was lost: ${reason}.\n`);
    process.exit(1);
  });
  const { description, vendor, software } = gpu.adapter;
  process.stderr.write(
    `Adapter: ${description || vendor}${software ? ' (software: its times say nothing about a GPU)' : ''}\n`,
  );
  return gpu;
}
