/** The part of the contract that is about workspaces: see `routes.ts`. */
import { Type } from '@sinclair/typebox';
import { bareVerbs, byRoute, startVerbs, transitionOf, type Verb } from '../rules/lifecycle';
import { localPath } from '../rules/principal';
import { ByImage, ByName, Flag, takeOver, VolumeName, Wait, Waiting } from '../common';
import { Adoptable } from '../engine/schemas';
import { Operation } from '../operations/schemas';
import { ForkRequest, KeepRequest } from './fork';
import {
  ExecRequest,
  ExecResult,
  RuntimeTarget,
  SshTarget,
  Workspace,
  WorkspaceCreate,
  WorkspacePatch,
  WorkspaceStats,
} from './schemas';

/** Of verbs that start: what to do without the files of a volume that is gone. */
const Starting = Type.Object({
  ...Waiting.properties,
  acceptEmpty: Type.Optional(
    Type.Boolean({ description: 'Make volumes that are gone anew, empty, instead of `volume_gone`.' }),
  ),
});
const route = (verb: Verb) => {
  const { summary, scope } = transitionOf(verb);
  return { summary, tag: 'workspaces', scope, params: ByName, response: Operation } as const;
};

export const workspaceRoutes = {
  'workspaces.list': {
    summary: 'All workspaces, or those of one machine',
    tag: 'workspaces',
    scope: 'read',
    query: Type.Object({ target: Type.Optional(RuntimeTarget) }),
    response: Type.Array(Workspace),
  },
  'workspaces.create': {
    summary: 'Create a workspace, and start it unless `start` is false',
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
    ...route('delete'),
    query: Type.Object({
      wait: Type.Optional(Wait),
      keepVolumes: Type.Optional(Flag),
      forget: Type.Optional(Flag),
      now: Type.Optional({ ...Flag, description: 'Nothing of it is kept in the trash.' }),
    }),
  },
  ...byRoute(startVerbs, (verb) => ({ ...route(verb), query: Starting }) as const),
  ...byRoute(bareVerbs, (verb) => ({ ...route(verb), query: Waiting }) as const),
  'workspaces.rebuild': {
    ...route('rebuild'),
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
  'workspaces.fork': {
    summary: 'Make new workspaces of it, with copies of its files, volumes and secrets; it may run meanwhile',
    tag: 'workspaces',
    scope: 'local',
    params: ByName,
    query: Waiting,
    body: ForkRequest,
    response: Operation,
  },
  'workspaces.keep': {
    summary:
      'Take the files of a fork over to the workspace that it was made of, which keeps what it had as snapshots',
    tag: 'workspaces',
    scope: 'local',
    params: ByName,
    query: Waiting,
    body: KeepRequest,
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
} as const;
