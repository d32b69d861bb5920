/** The identity panel of a workspace: built when somebody hovers. */
import * as vscode from 'vscode';
import type { Volume, Workspace, WorkspaceStats } from '../../api';
import { bytes, limitsWords, stateWord, time } from '../words';

const { t } = vscode.l10n;

/** Text of images, labels and messages is shown as text, never as Markdown. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-!|<>&~]/g, '\\$&').replace(/\s+/g, ' ');
}

function limitsText({ spec: { limits = {} } }: Workspace): string {
  return limitsWords(limits);
}

function usageText(stats: WorkspaceStats): string {
  return t(
    '{0} % CPU, {1} memory, {2} processes',
    stats.cpuPercent.toFixed(0),
    bytes(stats.memoryBytes),
    stats.pids,
  );
}

function identity(workspace: Workspace, home: Volume | undefined, stats: WorkspaceStats | undefined) {
  const size = home?.usedBytes === undefined ? '' : ` (${bytes(home.usedBytes)})`;
  return [
    [t('Name'), workspace.name],
    [t('Image'), workspace.spec.image],
    [t('Container id'), workspace.runtimeId?.slice(0, 12) ?? t('none')],
    [t('Container name'), workspace.runtimeName],
    [t('Volume'), workspace.homeVolume + size],
    [t('SSH port'), `127.0.0.1:${workspace.sshPort}`],
    [t('Created'), time(workspace.createdAt)],
    [t('Last used'), time(workspace.lastUsedAt)],
    [t('Limits'), limitsText(workspace)],
    ...(workspace.spec.docker === true ? [[t('Docker inside'), t('yes, privileged')]] : []),
    ...(stats === undefined ? [] : [[t('Usage'), usageText(stats)]]),
  ] as [string, string][];
}

export function workspaceTooltip(
  workspace: Workspace,
  home: Volume | undefined,
  stats: WorkspaceStats | undefined,
): vscode.MarkdownString {
  const text = new vscode.MarkdownString('', true);
  text.appendMarkdown(`**${escaped(workspace.label)}** — ${stateWord(workspace.state)}`);
  if (workspace.stateDetail !== undefined) {
    text.appendMarkdown(` (${escaped(workspace.stateDetail)})`);
  }
  text.appendMarkdown('\n\n| | |\n|---|---|\n');
  for (const [key, value] of identity(workspace, home, stats)) {
    text.appendMarkdown(`| ${escaped(key)} | ${escaped(value)} |\n`);
  }
  if (workspace.problem !== undefined) {
    text.appendMarkdown(`\n$(error) ${escaped(workspace.problem.message)}`);
  }
  return text;
}
