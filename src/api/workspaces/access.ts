/** What is asked of a workspace that runs: how much it uses, and how to log in. */
import { Type, type Static } from '@sinclair/typebox';
import { Timestamp } from '../common';

export const WorkspaceStats = Type.Object({
  cpuPercent: Type.Number({ description: 'Of one CPU: 150 means one and a half.' }),
  memoryBytes: Type.Integer(),
  memoryLimitBytes: Type.Integer(),
  pids: Type.Integer(),
  networkRxBytes: Type.Integer(),
  networkTxBytes: Type.Integer(),
  at: Timestamp,
});
export type WorkspaceStats = Static<typeof WorkspaceStats>;

export const SshTarget = Type.Object({
  alias: Type.String({ description: 'The `Host` name in the generated ssh config.' }),
  host: Type.String(),
  port: Type.Integer(),
  user: Type.String(),
  identityFile: Type.String(),
  knownHostsFile: Type.String(),
  configFile: Type.String(),
  hostKey: Type.String({ description: 'The public host key, `ssh-ed25519 AAAA…`.' }),
  command: Type.Array(Type.String(), { description: 'An argv that logs in.' }),
  folder: Type.String({ description: 'The folder to open: the cloned repository, else the home.' }),
});
export type SshTarget = Static<typeof SshTarget>;
