/** The doctor's page as HTML: a row for each check, with its state, what was found, and what can be done as buttons. */
import * as vscode from 'vscode';
import type { BerthError, Check, EngineInfo } from '../../../api';
import { hintInWindow } from '../../../ui/remedies/hinted-remedy';
import { formatBytes } from '../../../ui/sizes';
import { asSentence } from '../../../ui/words';
import { escapedHtml, pageHtml, type PageAddresses } from '../../page-html';
import { adviceWords, foundWords } from './check-sentences';
import { titleOfCheck } from './check-titles';

const { t } = vscode.l10n;
type Outcome = Check['outcome'];

/** A check as it is shown: `remedies` are what its buttons are called, and send. */
export interface ShownCheck extends Omit<Check, 'remedies'> {
  remedies: readonly { id: string; title: string }[];
}

export interface Findings {
  checks: readonly ShownCheck[];
  info: EngineInfo;
}

/** What is shown while something is checked is what was found last. */
export type PageState =
  | { kind: 'checking'; last: Findings | undefined }
  | { kind: 'found'; found: Findings }
  | { kind: 'failed'; error: BerthError; remedies: ShownCheck['remedies'] };

/** The worst first: that is what the page was opened for. */
const order: readonly Outcome[] = ['failed', 'warning', 'skipped', 'ok'];

const shapes: Readonly<Record<Outcome, string>> = {
  ok: '<circle cx="8" cy="8" r="6.5"/><path d="m5 8.2 2.1 2.1L11 6.2"/>',
  warning: '<path d="M8 1.8 14.7 14H1.3zM8 6.3v3.6M8 11.4v1"/>',
  failed: '<circle cx="8" cy="8" r="6.5"/><path d="m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8"/>',
  skipped: '<circle cx="8" cy="8" r="6.5"/><path d="M5 8h6"/>',
};

function outcomeWord(outcome: Outcome): string {
  return { ok: t('ok'), warning: t('warning'), failed: t('failed'), skipped: t('skipped') }[outcome];
}

const escaped = (text: string): string => escapedHtml(text).replace(/\n/g, '<br>');

/** Text of checks may hold anything; what is between backticks is typed somewhere. */
const prose = (text: string): string => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');

/** In a few words how it is with this machine. */
export function headline(checks: readonly Pick<Check, 'outcome'>[]): string {
  if (checks.some(({ outcome }) => outcome === 'failed')) {
    return t('Something needs your attention');
  }
  const warnings = checks.filter(({ outcome }) => outcome === 'warning').length;
  return warnings === 0
    ? t('Everything works')
    : warnings === 1
      ? t('Everything works. 1 warning')
      : t('Everything works. {0} warnings', warnings);
}

function icon(outcome: Outcome): string {
  return `<svg class="icon" viewBox="0 0 16 16" role="img" aria-label="${escaped(outcomeWord(outcome))}">${shapes[outcome]}</svg>`;
}

/** Of one id, on all that it stands for: who pressed it finds it again in the page after. */
function button(row: string, { id, title }: ShownCheck['remedies'][number], isFirst: boolean): string {
  const kind = isFirst ? '' : ' class="secondary"';
  return `<button id="${escaped(`${row}:${id}`)}" data-remedy="${escaped(id)}"${kind}>${escaped(title)}</button>`;
}

function rowOf(check: ShownCheck): string {
  const { name, outcome, remedies } = check;
  const hint = hintInWindow(check.hint === undefined ? {} : { hint: adviceWords(check.hint) });
  const isWrong = outcome === 'failed' || outcome === 'warning';
  const buttons = remedies.map((each, index) => button(name, each, isWrong && index === 0)).join('');
  return [
    `<li class="check ${outcome}">${icon(outcome)}<div>`,
    `<h2>${escaped(titleOfCheck(check))}</h2><p>${prose(foundWords(check))}</p>`,
    hint === undefined ? '' : `<p class="hint">${prose(hint)}</p>`,
    buttons === '' ? '' : `<p class="buttons">${buttons}</p>`,
    '</div></li>',
  ].join('');
}

function about(info: EngineInfo): string {
  const facts: [string, string][] = [
    [t('Engine'), `${info.version}, ${t('process {0}', info.pid)}, Node ${info.nodeVersion}`],
    [t('State directory'), info.home],
    [t('Memory'), formatBytes(info.rssBytes)],
    [t('SSH ports'), `${info.portRange.first}–${info.portRange.last}`],
    ...info.setAside.map((file): [string, string] => [t('Set aside'), file]),
  ];
  const list = facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('');
  return `<h2 class="about">${escaped(t('About'))}</h2><dl>${list}</dl>`;
}

function listOf({ checks, info }: Findings): string {
  const sorted = [...checks].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  return `<ul class="checks">${sorted.map(rowOf).join('')}</ul>${about(info)}`;
}

function body(state: PageState): { title: string; content: string } {
  if (state.kind === 'found') {
    return { title: headline(state.found.checks), content: listOf(state.found) };
  }
  if (state.kind === 'checking') {
    return {
      title: t('Checking this machine…'),
      content: state.last === undefined ? '' : listOf(state.last),
    };
  }
  const { message, hint } = state.error;
  const row: ShownCheck = {
    ...{ name: 'engine', title: t('Berth engine'), outcome: 'failed', remedies: state.remedies },
    message: asSentence(message),
    ...(hint !== undefined && { hint }),
  };
  return { title: t('Something needs your attention'), content: `<ul class="checks">${rowOf(row)}</ul>` };
}

/** The whole page. */
export function doctorHtml(state: PageState, addresses: PageAddresses): string {
  const { title, content } = body(state);
  const isBusy = state.kind === 'checking';
  const main = `<main aria-busy="${isBusy}">
<header><h1 role="status">${escaped(title)}</h1>
<button id="again" data-again class="secondary"${isBusy ? ' disabled' : ''}>${escaped(t('Run Again'))}</button></header>
${content}
</main>`;
  return pageHtml(title, main, addresses);
}
