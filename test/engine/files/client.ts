/** An engine's part that a test kills: opens a volume, starts an upload, says so, and waits. */
import Dockerode from 'dockerode';
import { Keepers } from '../../../src/backend/drivers/containers/volumes/keeper';
import { agentDir, toolsImage } from './harness';

async function main(): Promise<void> {
  const [, , volume, owner] = process.argv;
  const keepers = new Keepers(new Dockerode(), { image: () => toolsImage, owner: owner!, agentDir });
  const files = await keepers.files(volume!);
  await files.stage();
  process.stdout.write('open\n');
  setInterval(() => undefined, 60_000);
}

void main();
