/**
 * The contract: what each route of `paths.ts` takes and answers. The server validates with these schemas and
 * publishes them as OpenAPI; clients use only their types.
 */
import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox';
import { fileRoutes } from './file-routes';
import type { RouteId } from './paths';
import { localPath, namesOperation, namesVolume, namesWorkspace, type RouteScope } from './rules/principal';
import { Flag, Name, VolumeName, Wait, Waiting } from './schemas/common';
import {
  Adoptable,
  DoctorReport,
  EngineInfo,
  EngineSettings,
  EngineSettingsChange,
  Image,
  Orphan,
  SshConfigStatus,
} from './schemas/engine';
import { Operation } from './schemas/operation';
import { Volume, VolumeCreate } from './schemas/volume';
import {
  ExecRequest,
  ExecResult,
  SshTarget,
  Workspace,
  WorkspaceCreate,
  WorkspacePatch,
  WorkspaceStats,
  RuntimeKind,
} from './schemas/workspace';

export interface RouteSchema {
  summary: string;
  tag: string;
  /** What it asks of its caller. */
  scope: RouteScope;
  params?: TObject;
  query?: TObject;
  body?: TSchema;
  response: TSchema;
}

function defineRoutes<const T extends Record<RouteId, RouteSchema>>(table: T): T {
  return table;
}

const Nothing = Type.Object({}, { additionalProperties: false });
const ByName = Type.Object({ name: { ...Name, ...namesWorkspace } });
const takeOver = Type.Optional(
  Type.Boolean({ description: 'Consent to take what another installation of Berth made.' }),
);
const ByVolume = Type.Object({ volume: { ...VolumeName, ...namesVolume } });
const ById = Type.Object({ id: Type.String({ maxLength: 64, ...namesOperation }) });

const UserConfig = Type.Object(
  {
    userConfig: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description: "An absolute path on the engine's machine; without it `~/.ssh/config`.",
      }),
    ),
  },
  { additionalProperties: false },
);
const ByImage = Type.Object(
  { image: Type.String({ minLength: 1, maxLength: 512 }) },
  { additionalProperties: false },
);

/** Of verbs that start: what to do without the files of a volume that is gone. */
const Starting = Type.Object({
  ...Waiting.properties,
  acceptEmpty: Type.Optional(
    Type.Boolean({ description: 'Make volumes that are gone anew, empty, instead of `volume_gone`.' }),
  ),
});
const starting = (summary: string, scope: RouteScope) =>
  ({ summary, tag: 'workspaces', scope, params: ByName, query: Starting, response: Operation }) as const;

const verb = (summary: string, scope: RouteScope) =>
  ({ summary, tag: 'workspaces', scope, params: ByName, query: Waiting, response: Operation }) as const;

export const routes = defineRoutes({
  'engine.info': {
    summary: 'What the engine is and can do',
    tag: 'engine',
    scope: 'read',
    response: EngineInfo,
  },
  'engine.stop': {
    summary: 'End the engine process; runtimes go on running',
    tag: 'engine',
    scope: 'local',
    body: Type.Object({ onlyIfIdle: Type.Optional(Flag) }, { additionalProperties: false }),
    response: Type.Object({ stopping: Type.Boolean(), reason: Type.Optional(Type.String()) }),
  },
  'engine.settings': { summary: 'Settings', tag: 'engine', scope: 'local', response: EngineSettings },
  'engine.configure': {
    summary: 'Change settings',
    tag: 'engine',
    scope: 'local',
    body: EngineSettingsChange,
    response: EngineSettings,
  },
  'engine.doctor': { summary: 'Check this machine', tag: 'engine', scope: 'local', response: DoctorReport },
  'engine.orphans': {
    summary: 'Leftovers that no workspace owns',
    tag: 'engine',
    scope: 'local',
    response: Type.Array(Orphan),
  },
  'ssh.config': {
    summary: "State of a user's ssh config: whether it includes Berth's",
    tag: 'ssh',
    scope: 'local',
    query: UserConfig,
    response: SshConfigStatus,
  },
  'ssh.include': {
    summary: "Add one Include line to the user's ssh config",
    tag: 'ssh',
    scope: 'local',
    body: UserConfig,
    response: SshConfigStatus,
  },

  'operations.list': {
    summary: 'Operations, newest first',
    tag: 'operations',
    scope: 'read',
    query: Type.Object({ running: Type.Optional(Flag) }),
    response: Type.Array(Operation),
  },
  'operations.get': {
    summary: 'One operation; `wait` holds the answer until it ends',
    tag: 'operations',
    scope: 'read',
    params: ById,
    query: Waiting,
    response: Operation,
  },
  'operations.cancel': {
    summary: 'Cancel an operation',
    tag: 'operations',
    scope: 'use',
    params: ById,
    response: Operation,
  },

  'workspaces.list': {
    summary: 'All workspaces',
    tag: 'workspaces',
    scope: 'read',
    response: Type.Array(Workspace),
  },
  'workspaces.create': {
    summary: 'Create a workspace, and start it unless told not to',
    tag: 'workspaces',
    scope: 'manage',
    query: Waiting,
    body: WorkspaceCreate,
    response: Operation,
  },
  'workspaces.get': {
    summary: 'One workspace',
    tag: 'workspaces',
    scope: 'read',
    params: ByName,
    response: Workspace,
  },
  'workspaces.update': {
    summary:
      'Change label, limits, idle policy, environment; variables, secrets and limits not named stay, null takes one away',
    tag: 'workspaces',
    scope: 'manage',
    params: ByName,
    body: WorkspacePatch,
    response: Workspace,
  },
  'workspaces.delete': {
    summary: 'Delete a workspace with its home volume; named volumes stay',
    tag: 'workspaces',
    scope: 'manage',
    params: ByName,
    query: Type.Object({ wait: Type.Optional(Wait), keepVolumes: Type.Optional(Flag) }),
    response: Operation,
  },
  'workspaces.start': starting('Start', 'use'),
  'workspaces.stop': verb('Stop: 10 s of grace, then kill; nothing is deleted', 'use'),
  'workspaces.restart': starting('Stop and start', 'use'),
  'workspaces.pause': verb('Freeze all processes', 'use'),
  'workspaces.resume': verb('Go on after a pause', 'use'),
  'workspaces.archive': verb('Stop it and set it aside: record, volumes and its own files stay', 'manage'),
  'workspaces.restore': starting('Start an archived one: with its own files, on its volumes', 'manage'),
  'workspaces.recover': starting('Start it after an error; a new runtime only where there is none', 'manage'),
  'workspaces.rebuild': {
    summary: 'A new runtime on the same volumes, from the image as it is now or another one',
    tag: 'workspaces',
    scope: 'manage',
    params: ByName,
    query: Waiting,
    body: Type.Object(
      {
        image: Type.Optional(Type.String({ minLength: 1, maxLength: 512, ...localPath })),
        confirm: Type.Optional(
          Type.Boolean({
            description:
              'What lies outside of volumes may go: else `needs_confirmation` names it, nothing changes.',
          }),
        ),
        acceptEmpty: Starting.properties.acceptEmpty,
      },
      { additionalProperties: false },
    ),
    response: Operation,
  },
  'workspaces.commit': {
    summary: 'Make an image of its own files, volumes and secrets excepted; a microVM must be stopped',
    tag: 'workspaces',
    scope: 'local',
    params: ByName,
    query: Waiting,
    body: ByImage,
    response: Operation,
  },
  'workspaces.stats': {
    summary: 'CPU, memory, processes and network now (takes up to two seconds)',
    tag: 'workspaces',
    scope: 'read',
    params: ByName,
    response: WorkspaceStats,
  },
  'workspaces.ssh': {
    summary: 'How to log in',
    tag: 'workspaces',
    scope: 'local',
    params: ByName,
    response: SshTarget,
  },
  'workspaces.exec': {
    summary: 'Run a command and return its output',
    tag: 'workspaces',
    scope: 'use',
    params: ByName,
    body: ExecRequest,
    response: ExecResult,
  },

  'adoptable.list': {
    summary: 'Containers and volumes of other tools that can become workspaces',
    tag: 'workspaces',
    scope: 'local',
    response: Type.Array(Adoptable),
  },
  'adoptable.adopt': {
    summary: 'Make a workspace of a volume that another tool made',
    tag: 'workspaces',
    scope: 'local',
    params: ByName,
    query: Waiting,
    body: Type.Object(
      {
        volume: VolumeName,
        image: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
        takeOver,
        replaceContainer: Type.Optional(
          Type.Boolean({ default: false, description: 'Consent to remove the container that holds it now.' }),
        ),
      },
      { additionalProperties: false },
    ),
    response: Operation,
  },

  'volumes.list': {
    summary: 'All volumes; `usage` measures them (slow)',
    tag: 'volumes',
    scope: 'read',
    query: Type.Object({ usage: Type.Optional(Flag) }),
    response: Type.Array(Volume),
  },
  'volumes.create': {
    summary: 'Create a volume',
    tag: 'volumes',
    scope: 'manage',
    body: VolumeCreate,
    response: Volume,
  },
  'volumes.get': {
    summary: 'One volume; `usage` measures it',
    tag: 'volumes',
    scope: 'read',
    params: ByVolume,
    query: Type.Object({ usage: Type.Optional(Flag) }),
    response: Volume,
  },
  'volumes.delete': {
    summary: 'Delete a volume that nothing holds',
    tag: 'volumes',
    scope: 'manage',
    params: ByVolume,
    query: Type.Object({ force: Type.Optional(Flag) }),
    response: Type.Object({ deleted: Type.Boolean() }),
  },
  'volumes.adopt': {
    summary: 'Count a volume that another tool or installation made as made by this one',
    tag: 'volumes',
    scope: 'local',
    params: ByVolume,
    body: Type.Object({ takeOver }, { additionalProperties: false }),
    response: Volume,
  },
  'volumes.resize': {
    summary: 'Grow a detached disk',
    tag: 'volumes',
    scope: 'manage',
    params: ByVolume,
    body: Type.Object(
      { sizeMiB: Type.Integer({ minimum: 1, maximum: 1_048_576 }) },
      { additionalProperties: false },
    ),
    response: Volume,
  },

  ...fileRoutes,

  'images.list': {
    summary: 'Images that workspaces can use',
    tag: 'images',
    scope: 'read',
    response: Type.Array(Image),
  },
  'images.build': {
    summary: 'Build `workspace:latest` and what every workspace of that kind of runtime needs',
    tag: 'images',
    scope: 'local',
    query: Waiting,
    body: Type.Object(
      {
        noCache: Type.Optional(Flag),
        toolsOnly: Type.Optional(Flag),
        runtime: Type.Optional(RuntimeKind),
      },
      { additionalProperties: false },
    ),
    response: Operation,
  },
  'images.pull': {
    summary: 'Pull an image from its registry',
    tag: 'images',
    scope: 'local',
    query: Waiting,
    body: Type.Object(
      { image: Type.String({ minLength: 1, maxLength: 512 }), runtime: Type.Optional(RuntimeKind) },
      { additionalProperties: false },
    ),
    response: Operation,
  },
  'images.push': {
    summary: 'Push an image to the registry that its name says',
    tag: 'images',
    scope: 'local',
    query: Waiting,
    body: ByImage,
    response: Operation,
  },
  'images.save': {
    summary: 'Write an image to a new file of this machine, as `docker load` takes it',
    tag: 'images',
    scope: 'local',
    query: Waiting,
    body: Type.Object(
      { ...ByImage.properties, path: Type.String({ minLength: 1, maxLength: 4096 }) },
      { additionalProperties: false },
    ),
    response: Operation,
  },
  'images.remove': {
    summary: 'Remove an image that no workspace is made of',
    tag: 'images',
    scope: 'local',
    body: ByImage,
    response: Nothing,
  },
});

export type Routes = typeof routes;

type PartOf<Id extends RouteId, Part extends string> =
  Routes[Id] extends Record<Part, infer S> ? (S extends TSchema ? Static<S> : undefined) : undefined;

export type RouteParams<Id extends RouteId> = PartOf<Id, 'params'>;
export type RouteQuery<Id extends RouteId> = PartOf<Id, 'query'>;
export type RouteBody<Id extends RouteId> = PartOf<Id, 'body'>;
export type RouteAnswer<Id extends RouteId> = PartOf<Id, 'response'>;
