import { openGpu, type Gpu } from '../gpu/device';
import { nodeGpu } from '../gpu/node';

/** The device for a command. A lost device ends the command with its reason. */
export async function openCommandGpu(options?: { timestamps: boolean }): Promise<Gpu> {
  const lost = (reason: string) => {
    process.stderr.write(`The graphics device was lost: ${reason}.\n`);
    process.exit(1);
  };
  const gpu = await openGpu(await nodeGpu(), lost, options);
  const { description, vendor, software } = gpu.adapter;
  process.stderr.write(
    `Adapter: ${description || vendor}${software ? ' (software: its times say nothing about a GPU)' : ''}\n`,
  );
  return gpu;
}
