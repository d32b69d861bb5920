/** The doctor's report as a read-only Markdown page. */
import * as vscode from 'vscode';
import { formatBytes } from '../api/rules/sizes';
import type { Check, DoctorReport, EngineInfo } from '../api';

const { t } = vscode.l10n;
const scheme = 'berth-doctor';
export const doctorUri = vscode.Uri.from({ scheme, path: '/Berth Doctor.md' });

const marks: Record<Check['outcome'], string> = { ok: '✓', warning: '⚠', failed: '✗', skipped: '–' };

function outcomeWord(outcome: Check['outcome']): string {
  return { ok: t('ok'), warning: t('warning'), failed: t('failed'), skipped: t('skipped') }[outcome];
}

/** Text of checks may hold anything: kept on one line and free of table and Markdown syntax. */
const cell = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, '\\$&').replace(/\s+/g, ' ');

function headline(ok: boolean, checks: readonly Check[]): string {
  if (!ok) {
    return t('Something needs your attention');
  }
  const hints = checks.filter(({ outcome }) => outcome === 'warning').length;
  return hints === 0 ? t('Everything works') : t('Everything works; warnings: {0}', hints);
}

/** The report as Markdown. */
export function doctorMarkdown({ ok, checks }: DoctorReport, info: EngineInfo): string {
  const rows = checks.map(({ outcome, title, message, hint }) => {
    const lines = [cell(message), hint === undefined ? undefined : `**${cell(hint)}**`]
      .filter(Boolean)
      .join('<br>');
    return `| ${marks[outcome]} ${outcomeWord(outcome)} | ${cell(title)} | ${lines} |`;
  });
  const facts = [
    [t('Engine'), `${info.version}, ${t('process {0}', info.pid)}, Node ${info.nodeVersion}`],
    [t('State directory'), info.home],
    [t('Memory'), formatBytes(info.rssBytes)],
    [t('Runtimes'), info.drivers.map((each) => each.product ?? each.message ?? each.runtime).join(', ')],
    [t('SSH ports'), `${info.portRange.first}–${info.portRange.last}`],
    ...info.setAside.map((file) => [t('Set aside'), file]),
  ];
  return [
    `# ${headline(ok, checks)}`,
    '',
    `| | ${t('Check')} | ${t('Result')} |`,
    '|---|---|---|',
    ...rows,
    '',
    `## ${t('About')}`,
    '',
    '| | |',
    '|---|---|',
    ...facts.map(([key, value]) => `| ${cell(key ?? '')} | ${cell(value ?? '')} |`),
    '',
  ].join('\n');
}

export class DoctorDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private text = '';
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);

  show(report: DoctorReport, info: EngineInfo): void {
    this.text = doctorMarkdown(report, info);
    this.changed.fire(doctorUri);
  }

  provideTextDocumentContent(): string {
    return this.text;
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
