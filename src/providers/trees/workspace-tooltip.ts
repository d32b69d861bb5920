/** The identity panel of a workspace: built when somebody hovers. */
import { availableParallelism } from 'node:os';
import * as vscode from 'vscode';
import { exactMiB, mebibyte } from '../../api/rules/sizes';
import type { Volume, Workspace, WorkspaceStats } from '../../api';
import { localTarget } from '../../api/rules/runtimes';
import { limitsWords, runtimeWords, stateWord, time, usedWords } from '../../ui/words';
import { bar, escaped, panel } from './panel';

const { t } = vscode.l10n;

type Fact = readonly [string, string | undefined];

/** In the units of the limits. */
const memory = (count: number): string => exactMiB(Math.round(count / mebibyte));

/** Bars measure against the limit, or against the machine where there is none. */
function usage({ spec: { limits, runtime } }: Workspace, stats: WorkspaceStats | undefined): Fact[] {
  if (stats === undefined) {
    return [];
  }
  const { cpuPercent, memoryBytes, memoryLimitBytes, pids } = stats;
  const cpus = limits?.cpus ?? availableParallelism();
  const share = memoryLimitBytes > 0 ? memoryBytes / memoryLimitBytes : 0;
  // A container without a limit reports the memory of the machine for one.
  const isLimited = memoryLimitBytes > 0 && (runtime !== 'container' || limits?.memoryMiB !== undefined);
  const used = memory(memoryBytes);
  const memoryUse = isLimited ? t('{0} of {1}', used, memory(memoryLimitBytes)) : t('{0}, no limit', used);
  return [
    [t('CPU'), `${bar(cpuPercent / 100 / cpus)} ${t('{0} % of one CPU', cpuPercent.toFixed(0))}`],
    [t('Memory'), `${bar(share)} ${memoryUse}`],
    [t('Processes'), String(pids)],
  ];
}

function identity(workspace: Workspace, home: Volume | undefined): Fact[] {
  const used = home && usedWords(home);
  const size = used === undefined ? '' : ` (${used})`;
  const { target = localTarget } = workspace.spec;
  const runtime = runtimeWords(workspace.spec.runtime);
  return [
    [t('Name'), workspace.name],
    [t('Tags'), workspace.tags?.join(', ')],
    [t('Protected'), workspace.protected === true ? t('from delete, rebuild and archive') : undefined],
    [t('Image'), workspace.spec.image],
    [t('Machine'), target === localTarget ? undefined : target],
    [t('{0} id', runtime.title), workspace.runtimeId?.slice(0, 12) ?? t('none')],
    [t('{0} name', runtime.title), workspace.runtimeName],
    [t('Volume'), workspace.homeVolume + size],
    [t('SSH port'), `127.0.0.1:${workspace.sshPort}`],
    [t('Fork of'), workspace.forkedFrom?.workspace],
    [t('Created'), time(workspace.createdAt)],
    [t('Last used'), time(workspace.lastUsedAt)],
    [t('Limits'), limitsWords(workspace.spec.limits ?? {}, workspace.spec.runtime)],
    [t('Docker inside'), workspace.spec.docker === true ? runtime.withDocker : undefined],
  ];
}

/** All that identifies a workspace, as Markdown; `stats` where they are known already. */
export function workspaceTooltip(
  workspace: Workspace,
  home: Volume | undefined,
  stats: WorkspaceStats | undefined,
): vscode.MarkdownString {
  const { label, state, stateDetail, problem } = workspace;
  const detail = stateDetail === undefined ? '' : ` (${stateDetail})`;
  const facts = [...identity(workspace, home), ...usage(workspace, stats)];
  const text = panel(label, stateWord(state) + detail, facts);
  if (problem !== undefined) {
    text.appendMarkdown(`\n$(error) ${escaped(problem.message)}`);
  }
  return text;
}
