/**
 * Every route by its id: method and path. Kept apart from the schemas so that clients carry no schema library.
 */
import { byRoute, plainVerbs } from './rules/lifecycle';
import type { AttachInput, AttachOutput, AttachStart } from './stream-schemas';

export const paths = {
  'engine.info': ['GET', '/v1/engine'],
  'engine.stop': ['POST', '/v1/engine/stop'],
  'engine.settings': ['GET', '/v1/engine/settings'],
  'engine.configure': ['PATCH', '/v1/engine/settings'],
  'engine.doctor': ['GET', '/v1/doctor'],
  'engine.orphans': ['GET', '/v1/orphans'],
  'caches.list': ['GET', '/v1/caches'],
  'caches.clean': ['POST', '/v1/caches/clean'],
  'ssh.config': ['GET', '/v1/ssh-config'],
  'ssh.include': ['POST', '/v1/ssh-config/include'],

  'operations.list': ['GET', '/v1/operations'],
  'operations.get': ['GET', '/v1/operations/:id'],
  'operations.cancel': ['DELETE', '/v1/operations/:id'],

  'workspaces.list': ['GET', '/v1/workspaces'],
  'workspaces.create': ['POST', '/v1/workspaces'],
  'workspaces.get': ['GET', '/v1/workspaces/:name'],
  'workspaces.update': ['PATCH', '/v1/workspaces/:name'],
  'workspaces.delete': ['DELETE', '/v1/workspaces/:name'],
  ...byRoute(plainVerbs, (verb) => ['POST', `/v1/workspaces/:name/${verb}`] as const),
  'workspaces.rebuild': ['POST', '/v1/workspaces/:name/rebuild'],
  'workspaces.commit': ['POST', '/v1/workspaces/:name/commit'],
  'workspaces.fork': ['POST', '/v1/workspaces/:name/fork'],
  'workspaces.keep': ['POST', '/v1/workspaces/:name/keep'],
  'workspaces.stats': ['GET', '/v1/workspaces/:name/stats'],
  'workspaces.ssh': ['GET', '/v1/workspaces/:name/ssh'],
  'workspaces.locate': ['GET', '/v1/workspaces/:name/locate'],
  'workspaces.exec': ['POST', '/v1/workspaces/:name/exec'],

  'adoptable.list': ['GET', '/v1/adoptable'],
  'adoptable.adopt': ['POST', '/v1/adoptable/:name'],

  'volumes.list': ['GET', '/v1/volumes'],
  'volumes.create': ['POST', '/v1/volumes'],
  'volumes.get': ['GET', '/v1/volumes/:volume'],
  'volumes.update': ['PATCH', '/v1/volumes/:volume'],
  'volumes.delete': ['DELETE', '/v1/volumes/:volume'],
  'volumes.adopt': ['POST', '/v1/volumes/:volume/adopt'],
  'volumes.resize': ['POST', '/v1/volumes/:volume/resize'],

  'snapshots.listAll': ['GET', '/v1/snapshots'],
  'snapshots.list': ['GET', '/v1/volumes/:volume/snapshots'],
  'snapshots.create': ['POST', '/v1/volumes/:volume/snapshots'],
  'snapshots.get': ['GET', '/v1/volumes/:volume/snapshots/:snapshot'],
  'snapshots.update': ['PATCH', '/v1/volumes/:volume/snapshots/:snapshot'],
  'snapshots.prune': ['POST', '/v1/volumes/:volume/snapshots/prune'],
  'snapshots.delete': ['DELETE', '/v1/volumes/:volume/snapshots/:snapshot'],
  'snapshots.verify': ['POST', '/v1/volumes/:volume/snapshots/:snapshot/verify'],
  'snapshots.restore': ['POST', '/v1/volumes/:volume/snapshots/:snapshot/restore'],

  'trash.list': ['GET', '/v1/trash'],
  'trash.restore': ['POST', '/v1/trash/:item/restore'],
  'trash.empty': ['POST', '/v1/trash/empty'],

  'files.stat': ['GET', '/v1/volumes/:volume/files/stat'],
  'files.list': ['GET', '/v1/volumes/:volume/files/list'],
  'files.measure': ['GET', '/v1/volumes/:volume/files/measure'],
  'files.mkdir': ['POST', '/v1/volumes/:volume/files/mkdir'],
  'files.rename': ['POST', '/v1/volumes/:volume/files/rename'],
  'files.copy': ['POST', '/v1/volumes/:volume/files/copy'],
  'files.remove': ['POST', '/v1/volumes/:volume/files/remove'],
  'files.chmod': ['POST', '/v1/volumes/:volume/files/chmod'],

  'removals.create': ['POST', '/v1/removals'],

  'transfers.create': ['POST', '/v1/transfers'],
  'transfers.conflicts': ['POST', '/v1/transfers/conflicts'],

  'takeovers.create': ['POST', '/v1/takeovers'],

  'images.list': ['GET', '/v1/images'],
  'images.build': ['POST', '/v1/images/build'],
  'images.pull': ['POST', '/v1/images/pull'],
  'images.push': ['POST', '/v1/images/push'],
  'images.save': ['POST', '/v1/images/save'],
  'images.remove': ['POST', '/v1/images/remove'],
} as const;

export type RouteId = keyof typeof paths;

/** Routes that stream, outside the request/answer table. */
export const streamPaths = {
  /** SSE, see `events.ts`. */
  events: '/v1/events',
  /** GET: bytes, `?path=&offset=&length=`. PUT: bytes, `?path=&create=&overwrite=&mode=`; answers a FileEntry. */
  fileContent: '/v1/volumes/:volume/files/content',
  /** GET `?path=`: a tar of the folder or file. */
  fileArchive: '/v1/volumes/:volume/files/archive',
  /** GET: SSE of `FileChange[]`, `?path=&recursive=`. */
  fileWatch: '/v1/volumes/:volume/files/watch',
  /** GET: SSE of `FindEvent`, see `files/find.ts`. Ends by itself. */
  fileFind: '/v1/volumes/:volume/files/find',
  /** GET: SSE of `CompareEvent`, see `files/compare.ts`. Ends by itself. */
  fileCompare: '/v1/volumes/:volume/files/compare',
  /** GET: text, `?tail=&follow=&timestamps=`. */
  logs: '/v1/workspaces/:name/logs',
  /** GET: stays open. A temporary workspace is deleted some seconds after the last of these was closed. */
  lease: '/v1/workspaces/:name/lease',
  /**
   * WebSocket. The first text message is an `AttachRequest`; binary messages are stdin (client) and
   * output (server: first byte 1 = stdout, 2 = stderr); text messages are `AttachControl`.
   */
  attach: '/v1/workspaces/:name/attach',
  /** GET `?image=`: a workspace as a file; the header `berth-operation` names its operation. */
  export: '/v1/workspaces/:name/export',
  /** PUT `?name=&runtime=&start=&trust=`: the same file; answers an ImportResult when the workspace is there. */
  import: '/v1/import',
  openapi: '/v1/openapi.json',
} as const;

export type AttachRequest = AttachStart;
/** The text messages after the first, of both sides. */
export type AttachControl = AttachInput | AttachOutput;

/** Fills `:params` into a path. */
export function fillPath(path: string, params: Readonly<Record<string, string>> = {}): string {
  return path.replace(/:([a-z]+)/g, (_, key: string) => {
    const value = params[key];
    if (value === undefined || value === '') {
      throw new Error(`The path ${path} needs a value for "${key}".`);
    }
    return encodeURIComponent(value);
  });
}
