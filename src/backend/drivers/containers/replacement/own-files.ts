/** What a container has written outside of volumes: the engine knows which paths, and how many bytes in all. */
import type Dockerode from 'dockerode';
import type { OwnFiles } from '../../driver';
import { ifMissing } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import type { Helpers } from '../engine/helpers';
import { label } from '../engine/labels';
import { changedByOthers, sharedFiles } from './shared-files';

const measureTimeoutMs = 120_000;

/** What Berth writes, and the engine for it: no work of anybody. Folders with all that is in them; `sharedFiles` are looked into. */
const ofBerth = [
  '/run',
  '/.berth',
  '/workspace',
  '/tmp/.berth',
  '/etc/sudoers.d/workspace',
  '/etc/profile.d/00-berth.sh',
  '/etc/profile.d/berth.sh',
] as const;

interface Change {
  Path: string;
}

interface Sized {
  Id: string;
  Image: string;
  SizeRw?: number;
  Config: { Labels?: Partial<Record<string, string>> | null };
  Mounts: readonly { Destination: string }[];
}

/** undefined: there is no such container. */
export async function ownFilesOf(
  endpoint: Endpoint,
  helpers: Helpers,
  name: string,
): Promise<OwnFiles | undefined> {
  return endpoint.call(
    `measure ${name}`,
    async (docker) => {
      const container = docker.getContainer(name);
      const found = await inspectSized(container).catch(ifMissing);
      if (found === undefined) {
        return undefined;
      }
      const changes = changesOf(await container.changes());
      const mounted = found.Mounts.map(({ Destination }) => Destination);
      const kept = found.Config.Labels ?? {};
      // What a move to other ports has made part of its image.
      const shared = await changedByOthers(
        docker,
        found,
        changes.map(({ Path }) => Path),
        helpers.labels('export'),
      );
      const files = countOwn(changes, mounted) + shared.length + Number(kept[label.ownCount] ?? 0);
      return { files, bytes: (found.SizeRw ?? 0) + Number(kept[label.ownBytes] ?? 0) };
    },
    { timeoutMs: measureTimeoutMs },
  );
}

/** The engine says `null` instead of an empty list, which the client library hands on as a text. */
export function changesOf(answer: unknown): readonly Change[] {
  return Array.isArray(answer) ? answer.filter(isChange) : [];
}

function isChange(value: unknown): value is Change {
  return typeof value === 'object' && value !== null && 'Path' in value && typeof value.Path === 'string';
}

async function inspectSized(container: Dockerode.Container): Promise<Sized> {
  // A weak type that knows no `size`.
  const options: object = { size: true };
  return container.inspect(options);
}

/** A folder is listed when something in it has changed: counted is what nothing else lies below. */
export function countOwn(changes: readonly Change[], mounted: readonly string[]): number {
  const folders = new Set(changes.flatMap(({ Path }) => parentsOf(Path)));
  const others = new Set<string>([...ofBerth, ...sharedFiles, ...mounted]);
  const isOwn = ({ Path: path }: Change): boolean =>
    !folders.has(path) && ![path, ...parentsOf(path)].some((each) => others.has(each));
  return changes.filter(isOwn).length;
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
