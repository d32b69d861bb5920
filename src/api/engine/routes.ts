/** The part of the contract that is about the engine and ssh: see `routes.ts`. */
import { Type } from '@sinclair/typebox';
import { Flag } from '../common';
import { Cache, CachesClean, CachesCleaned } from './caches';
import {
  DoctorReport,
  EngineInfo,
  EngineSettings,
  EngineSettingsChange,
  Orphan,
  SshConfigStatus,
} from './schemas';

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

export const engineRoutes = {
  'engine.info': {
    summary: 'What the engine is and can do',
    tag: 'engine',
    scope: 'read',
    query: Type.Object({
      drivers: Type.Optional(
        Type.Boolean({ description: 'false: without asking the drivers; the list of them is empty then.' }),
      ),
    }),
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
  'engine.doctor': {
    summary: "Check this machine, and a user's ssh config",
    tag: 'engine',
    scope: 'local',
    query: UserConfig,
    response: DoctorReport,
  },
  'engine.orphans': {
    summary: 'Leftovers that no workspace owns',
    tag: 'engine',
    scope: 'local',
    response: Type.Array(Orphan),
  },
  'caches.list': {
    summary: 'What is kept to be quicker the next time, with its room on the disk',
    tag: 'engine',
    scope: 'local',
    response: Type.Array(Cache),
  },
  'caches.clean': {
    summary: 'Remove what is in caches and not in use: it is made again when it is needed',
    tag: 'engine',
    scope: 'local',
    body: CachesClean,
    response: CachesCleaned,
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
} as const;
