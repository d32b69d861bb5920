/** What the folder `images/` says of the tools. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The source of the agent. */
export function agentDirectoryOf(imagesDirectory: string): string {
  return join(imagesDirectory, 'tools', 'agent');
}

/** Tag of the tools' image. */
export function toolsVersion(imagesDirectory: string): string {
  return readFileSync(join(imagesDirectory, 'tools', 'VERSION'), 'utf8').trim();
}
