/**
 * Files of a container that Berth writes a line or two of: whatever else has changed in them is somebody's work, for
 * example a user that was added. What the image has there is read from a container of it that never runs.
 */
import { pipeline } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import tar from 'tar-stream';
import { mebibyte } from '../../../../api/rules/sizes';
import { environmentBegin, environmentEnd } from '../../../inside/configure-script';
import { ifMissing } from '../engine/docker-errors';
import { toReadable } from '../engine/streams';

/** Longer than any that a program of the system could use. */
const maxBytes = mebibyte;

/** Lines of Berth, as `configure-script.ts` writes them; in place of others of the same user. */
const ofBerth: Readonly<Record<string, readonly RegExp[]>> = {
  '/etc/passwd': [
    /^workspace:x:1000:1000:Berth workspace:\/home\/workspace:/,
    /^sshd:x:\d+:65534:sshd:\/run\/sshd:\/sbin\/nologin$/,
    /^root:x:0:0:root:\/root:/,
  ],
  '/etc/group': [/^workspace:x:1000:$/, /^root:x:0:$/],
  '/etc/shadow': [/^workspace:\*:19000:0:99999:7:::$/],
  '/etc/environment': [],
};

export const sharedFiles: readonly string[] = Object.keys(ofBerth);

/** Answers those of `paths` that somebody else has changed, too. `labels` are for the container of the image. */
export async function changedByOthers(
  docker: Dockerode,
  container: { Id: string; Image: string },
  paths: readonly string[],
  labels: Readonly<Record<string, string>>,
): Promise<string[]> {
  const shared = paths.filter((path) => sharedFiles.includes(path));
  if (shared.length === 0) {
    return [];
  }
  const ofImage = await docker.createContainer({
    Image: container.Image,
    Cmd: ['none'],
    Labels: { ...labels },
    HostConfig: { NetworkMode: 'none' },
  });
  try {
    const isChanged = await Promise.all(
      shared.map(async (path) => {
        const [now, before] = await Promise.all([
          contentOf(docker.getContainer(container.Id), path),
          contentOf(ofImage, path),
        ]);
        return now === undefined || before === undefined || hasOthers(path, before, now);
      }),
    );
    return shared.filter((_, index) => isChanged[index]);
  } finally {
    await ofImage.remove({ force: true, v: true }).catch(() => undefined);
  }
}

/** Whether lines came or went that are not Berth's. */
export function hasOthers(path: string, before: string, now: string): boolean {
  const [old, current] = [linesOf(before), linesOf(now)];
  const own = ofBerth[path] ?? [];
  const added = current.filter((line) => !old.includes(line) && !own.some((each) => each.test(line)));
  // Berth's line of the user stands in place of the image's.
  const removed = old.filter((line) => !current.includes(line) && !line.startsWith('workspace:'));
  return added.length + removed.length > 0;
}

/** Without the part that is written anew at every start. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  let isOurs = false;
  for (const line of text.split('\n')) {
    isOurs ||= line.startsWith(environmentBegin);
    if (!isOurs && line !== '') {
      lines.push(line);
    }
    isOurs &&= !line.startsWith(environmentEnd);
  }
  return lines;
}

/** Empty where there is none; undefined for what is no plain file of a usual size. */
async function contentOf(container: Dockerode.Container, path: string): Promise<string | undefined> {
  const found = await container.getArchive({ path }).catch(ifMissing);
  if (found === undefined) {
    return '';
  }
  const archive = toReadable(found);
  try {
    const entries = tar.extract();
    pipeline(archive, entries, () => undefined);
    for await (const entry of entries) {
      const { type, size } = entry.header;
      return type === 'file' && size <= maxBytes ? await text(entry) : undefined;
    }
    return undefined;
  } finally {
    archive.destroy();
  }
}
