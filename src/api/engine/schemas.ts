import { Type, type Static } from '@sinclair/typebox';
import { Owner, Timestamp, literals, nullable } from '../common';
import { checkRemedies } from './check-remedy';
import { runtimeKinds } from '../rules/runtimes';
import { RuntimeKind } from '../workspaces/schemas';
import { DriverFeatures } from './features';

const Remedies = Type.Array(literals(checkRemedies), {
  description:
    'What can be done about it, the most likely first. Absent in the answer of an engine of before.',
});

/** State of one driver: can it make runtimes now, and if not, what to do. */
export const DriverStatus = Type.Object({
  runtime: RuntimeKind,
  available: Type.Boolean(),
  /** Absent in the answer of an engine of before. */
  features: Type.Optional(DriverFeatures),
  /** E.g. `Docker 20.10.24`. */
  product: Type.Optional(Type.String()),
  endpoint: Type.Optional(
    Type.String({ description: 'Where the container engine is, or where it was looked for last.' }),
  ),
  target: Type.Optional(
    Type.String({ description: 'The machine that it makes runtimes on: `local`, or a name.' }),
  ),
  message: Type.Optional(
    Type.String({ description: 'Why it is not available; or what it does less well than it could.' }),
  ),
  hint: Type.Optional(Type.String()),
  remedies: Type.Optional(Remedies),
  acceleration: Type.Optional(
    literals(['kvm', 'hvf', 'whpx', 'tcg'], {
      description: 'What runs the guests of microVMs: `tcg` is emulation. Absent as long as none was tried.',
    }),
  ),
});
export type DriverStatus = Static<typeof DriverStatus>;

export const EngineInfo = Type.Object({
  version: Type.String(),
  /** Raised when the API changes incompatibly. */
  protocol: Type.Integer(),
  pid: Type.Integer(),
  nodeVersion: Type.String(),
  home: Type.String({ description: 'The state directory.' }),
  startedAt: Timestamp,
  rssBytes: Type.Integer(),
  clients: Type.Integer({ description: 'Open event streams.' }),
  operations: Type.Integer({ description: 'Operations running now.' }),
  drivers: Type.Array(DriverStatus),
  defaultImage: Type.String(),
  portRange: Type.Object({ first: Type.Integer(), last: Type.Integer() }),
  trashDays: Type.Optional(
    Type.Number({ description: 'How long what is deleted can be had back; 0: not at all.' }),
  ),
  /** Records that could not be read and were set aside. */
  setAside: Type.Array(Type.String()),
});
export type EngineInfo = Static<typeof EngineInfo>;

const settings = {
  portRange: Type.Object(
    {
      first: Type.Integer({ minimum: 1024, maximum: 65_535 }),
      last: Type.Integer({ minimum: 1024, maximum: 65_535 }),
    },
    { additionalProperties: false },
  ),
  defaultImage: Type.String({ minLength: 1, maxLength: 512 }),
  defaultRuntime: RuntimeKind,
  dockerHost: Type.String({ maxLength: 1024 }),
  hostLoopback: Type.Boolean({
    description:
      "All microVMs that have a network reach what listens on this machine's loopback, as 10.0.2.2, from their next start on.",
  }),
  idle: Type.Object(
    {
      pauseAfter: Type.Optional(Type.Number({ minimum: 0 })),
      stopAfter: Type.Optional(Type.Number({ minimum: 0 })),
      archiveAfter: Type.Optional(Type.Number({ minimum: 0 })),
    },
    { additionalProperties: false },
  ),
  trashDays: Type.Number({
    ...{ minimum: 0, maximum: 3650 },
    description: 'How long what is deleted can be had back; 0: not at all. 7 unless it is set.',
  }),
};

export const EngineSettings = Type.Partial(Type.Object(settings), {
  additionalProperties: false,
  description: 'Kept in `settings.json` of the state directory.',
});
export type EngineSettings = Static<typeof EngineSettings>;

export const EngineSettingsChange = Type.Partial(
  Type.Object({
    portRange: nullable(settings.portRange),
    defaultImage: nullable(settings.defaultImage),
    defaultRuntime: nullable(settings.defaultRuntime),
    dockerHost: nullable(settings.dockerHost),
    hostLoopback: nullable(settings.hostLoopback),
    idle: nullable(settings.idle),
    trashDays: nullable(settings.trashDays),
  }),
  {
    additionalProperties: false,
    description: 'Settings that are not given stay as they are; `null` resets a setting to its default.',
  },
);
export type EngineSettingsChange = Static<typeof EngineSettingsChange>;

export const Check = Type.Object({
  name: Type.String(),
  title: Type.String(),
  outcome: literals(['ok', 'warning', 'failed', 'skipped']),
  message: Type.String(),
  hint: Type.Optional(Type.String()),
  remedies: Type.Optional(Remedies),
});
export type Check = Static<typeof Check>;

export const DoctorReport = Type.Object({ ok: Type.Boolean(), checks: Type.Array(Check) });
export type DoctorReport = Static<typeof DoctorReport>;

export const SshConfigStatus = Type.Object({
  included: Type.Boolean({
    description: "The user's ssh config includes ours, and ssh, where there is one, takes what it says.",
  }),
  userConfig: Type.String(),
  configFile: Type.String(),
  problem: Type.Optional(Type.String({ description: 'Why ssh does not take it, though it is included.' })),
});
export type SshConfigStatus = Static<typeof SshConfigStatus>;

export const Image = Type.Object({
  id: Type.String(),
  tags: Type.Array(Type.String()),
  sizeBytes: Type.Integer(),
  createdAt: Timestamp,
  usedBy: Type.Array(Type.String(), {
    description: 'Names of workspaces; `(trash)` where something in the trash needs it.',
  }),
});
export type Image = Static<typeof Image>;

/** Things that other tools made and Berth can take over. */
export const Adoptable = Type.Object({
  name: Type.String({ description: 'The name of the workspace it would become.' }),
  volume: Type.String(),
  container: Type.Optional(Type.String()),
  containerState: Type.Optional(Type.String()),
  image: Type.Optional(Type.String()),
  origin: literals(['ws', 'sandkasten', 'berth']),
  /** The other installation that it is taken from. */
  owner: Type.Optional(Owner),
});
export type Adoptable = Static<typeof Adoptable>;

/** Leftovers: reported, never deleted by themselves. */
export const Orphan = Type.Object({
  kind: literals([...runtimeKinds, 'volume', 'temp']),
  name: Type.String(),
  reason: Type.String(),
  /** The other installation whose it is: no leftover, but nothing of this one's. */
  owner: Type.Optional(Owner),
});
export type Orphan = Static<typeof Orphan>;
