/** How workspaces are shown in words. */
import type { PublishedPort, Workspace } from '../api';
import { machineWords, placeWords } from '../api/rules/runtimes';
import { automaticWords } from './snapshots';
import { formatAgo } from './format/time';
import { formatDuration, formatInterval } from '../api/rules/duration';
import { formatBytes, formatMiB } from '../api/rules/sizes';
import { formatFields, formatTable } from './format/table';
import { inOneLine, printable } from './format/text';

/** What a list was asked for. */
export interface Wanted {
  /** The machine. */
  target?: string | undefined;
  tags?: readonly string[];
}

/** A table, with a column of tags where there are any. `now` is in ms since 1970. */
export function formatWorkspaces(
  workspaces: readonly Workspace[],
  now: number,
  { target, tags = [] }: Wanted = {},
): string {
  if (workspaces.length === 0) {
    return noneOf(target, tags);
  }
  const areTagged = workspaces.some((workspace) => workspace.tags !== undefined);
  return formatTable(
    [
      { title: 'NAME' },
      { title: 'STATE' },
      { title: 'RUNTIME' },
      { title: 'IMAGE' },
      { title: 'SSH', right: true },
      { title: 'USED' },
      ...(areTagged ? [{ title: 'TAGS' }] : []),
    ],
    workspaces.map((workspace) => [
      workspace.label === workspace.name
        ? workspace.name
        : `${workspace.name} (${printable(workspace.label)})`,
      stateOf(workspace),
      runtimeOf(workspace),
      printable(workspace.spec.image),
      String(workspace.sshPort),
      formatAgo(workspace.lastUsedAt, now),
      ...(areTagged ? [(workspace.tags ?? []).join(', ') || '-'] : []),
    ]),
  );
}

function noneOf(target: string | undefined, tags: readonly string[]): string {
  const place = target === undefined ? '' : ` on ${machineWords(target)}`;
  if (tags.length > 0) {
    return `No workspaces${place} with the ${tags.length === 1 ? 'tag' : 'tags'} ${tags.join(', ')}.`;
  }
  return target === undefined ? 'No workspaces yet. Create one: berth create NAME' : `No workspaces${place}.`;
}

/** The kind, and the machine where that is another one. */
function runtimeOf({ spec: { runtime, target } }: Workspace): string {
  return [runtime, placeWords(target)].filter(Boolean).join(' ');
}

/** All there is to know about one workspace. */
export function formatWorkspace(workspace: Workspace, now: number): string {
  const { spec } = workspace;
  const troubles = [...(workspace.problem === undefined ? [] : [workspace.problem]), ...workspace.warnings];
  return formatFields([
    ['name', workspace.name],
    ['label', workspace.label === workspace.name ? undefined : printable(workspace.label)],
    ['state', [workspace.state, workspace.stateDetail].filter(Boolean).join(': ')],
    ['tags', namesOf(workspace.tags ?? [])],
    ['protected', workspace.protected === true ? 'from delete, rebuild and archive' : undefined],
    ['runtime', runtimeOf(workspace)],
    ['image', printable(spec.image)],
    [spec.runtime, workspace.runtimeName],
    ['id', workspace.runtimeId?.slice(0, 12)],
    ['home volume', workspace.homeVolume],
    ['docker volume', workspace.dockerVolume],
    ['fork of', workspace.forkedFrom?.workspace],
    ['own files', formatOwnFiles(workspace)],
    ...(spec.mounts ?? []).map((mount): [string, string] => [
      'volume',
      `${mount.source} at ${mount.target}${mount.readOnly ? ' (read-only)' : ''}`,
    ]),
    ['ssh', `${workspace.sshAlias} (127.0.0.1:${workspace.sshPort})`],
    ...(spec.ports ?? []).map((port): [string, string] => ['port', formatPort(port)]),
    ['repository', spec.cloneUrl],
    ['branch', spec.cloneBranch === undefined ? undefined : printable(spec.cloneBranch)],
    ['env', namesOf(Object.keys(spec.env ?? {}))],
    ['secrets', namesOf(spec.secretNames ?? [])],
    ['limits', formatLimits(workspace)],
    ['idle', formatIdle(workspace)],
    ['snapshots', automaticWords(spec.snapshots ?? {})],
    ['created', formatAgo(workspace.createdAt, now)],
    ['used', formatAgo(workspace.lastUsedAt, now)],
    ...workspace.steps
      .filter((step) => step.ms !== undefined)
      .map((step): [string, string] => ['step', `${step.title}: ${formatDuration(step.ms ?? 0)}`]),
    ...troubles.flatMap((trouble): [string, string][] => [
      [trouble === workspace.problem ? 'problem' : 'warning', inOneLine(trouble.message)],
      ...(trouble.hint === undefined ? [] : [['hint', inOneLine(trouble.hint)] as [string, string]]),
      ...('detail' in trouble && trouble.detail !== undefined
        ? [['details', inOneLine(trouble.detail)] as [string, string]]
        : []),
    ]),
  ]);
}

/** Values may be what nobody else is to see. */
function namesOf(names: readonly string[]): string | undefined {
  return names.length === 0 ? undefined : [...names].sort().join(', ');
}

/** The state in words, with the room that an archived workspace still takes. */
function stateOf({ state, ownFiles, protected: isProtected }: Workspace): string {
  const size =
    state === 'archived' && ownFiles !== undefined ? ` (${formatBytes(ownFiles.bytes)} of its own)` : '';
  return `${state}${size}${isProtected === true ? ', protected' : ''}`;
}

/** What lies outside of volumes: said of those that were set aside, since it goes on taking room. */
function formatOwnFiles({ state, ownFiles }: Workspace): string | undefined {
  if (state !== 'archived' || ownFiles === undefined) {
    return undefined;
  }
  const size = `${formatBytes(ownFiles.bytes)} outside of volumes`;
  return ownFiles.files === undefined ? size : `${ownFiles.files} files, ${size}`;
}

/** Where a port inside is reached. */
export function formatPort({ host, guest }: PublishedPort): string {
  return `${guest} on 127.0.0.1:${host ?? ''}`;
}

/** What is said of the limits or ports of a workspace, e.g. that a change waits for a rebuild; a line each. */
export function formatWarnings({ warnings }: Workspace, about: 'limits' | 'ports'): string[] {
  return warnings
    .filter(({ code }) => code.startsWith(about))
    .map(({ message, hint }) => printable(`warning: ${message} ${hint ?? ''}`.trim()));
}

/** E.g. `2 CPUs, 4.0 GiB memory`; `none` without any. */
export function formatLimits({ spec: { limits = {} } }: Workspace): string {
  const parts = [
    limits.cpus === undefined ? undefined : `${limits.cpus} CPUs`,
    limits.memoryMiB === undefined ? undefined : `${formatMiB(limits.memoryMiB)} memory`,
    limits.pids === undefined ? undefined : `${limits.pids} processes`,
    limits.shmMiB === undefined ? undefined : `${formatMiB(limits.shmMiB)} shared memory`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function formatIdle({ spec: { idle = {} } }: Workspace): string | undefined {
  const parts = (
    [
      ['paused', idle.pauseAfter],
      ['stopped', idle.stopAfter],
      ['archived', idle.archiveAfter],
    ] as const
  ).flatMap(([what, minutes]) =>
    minutes === undefined || minutes === 0 ? [] : [`${what} after ${formatInterval(minutes * 60_000)}`],
  );
  return parts.length === 0 ? undefined : parts.join(', ');
}
