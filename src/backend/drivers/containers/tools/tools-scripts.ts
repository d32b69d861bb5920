/**
 * The scripts that containers start with, as files of the tools volume: a process list inside stays readable. Their
 * folder is named by their content, and so is the volume: containers of an older engine keep theirs.
 */
import { createHash } from 'node:crypto';
import { configureScript } from '../../../inside/configure-script';
import { initScript, shell, toolsDirectory } from '../../../inside/init-script';
import type { Member } from '../../../tar/archive';

const scripts = { init: initScript, configure: configureScript };

export const scriptsVersion = createHash('sha256').update(JSON.stringify(scripts)).digest('hex').slice(0, 12);
const folder = `scripts/${scriptsVersion}`;

/** Of the tools volume, relative to its root. */
export const scriptMembers: readonly Member[] = Object.entries(scripts).map(([name, content]) => ({
  ...{ name: `${folder}/${name}`, mode: 0o644, content },
}));

/** `env -i`: an image's LD_PRELOAD and the like must not reach our programs. */
export const initCommand: readonly string[] = [
  `${toolsDirectory}/bin/tini`,
  '-s',
  '--',
  `${toolsDirectory}/busybox/env`,
  '-i',
  `PATH=${toolsDirectory}/busybox`,
  shell,
  `${toolsDirectory}/${folder}/init`,
];
