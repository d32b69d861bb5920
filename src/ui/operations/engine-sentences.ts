/** Sentences of the engine that a newcomer meets, in the language of the window. It says them in English. */
import * as vscode from 'vscode';
import { filledIn, t } from './templates';

const words: ReadonlySet<string> = new Set([
  t('nothing is there'),
  t('nothing listens there'),
  t('your user may not use it'),
  t('its machine can not be reached'),
  t('there is no machine of that name'),
  t('the connection was cut off'),
  t('its certificate, or ours, is not accepted'),
  t('what is there is no container engine'),
  t('the setting dockerHost'),
  t('the usual places'),
  t('memory'),
  t('processes'),
  t('shared memory'),
  t('ports'),
]);

const sentences: readonly string[] = [
  t('No container engine answers.'),
  t('No container engine answers. Nothing is at {0}.'),
  t('Start Docker or Podman, or install one; another address goes into the setting dockerHost.'),
  t('Start Docker or Podman, then try again.'),
  t('Your user may not use the socket: {0}, then log in again.'),
  t('Takes effect with the next rebuild: {0}.'),
  t('Takes effect with the next start: {0}.'),
  t('{0} keeps all volumes.'),
  t('{0} does that.'),
  t('Build it: {0}.'),
];

const word = (english: string): string => (words.has(english) ? vscode.l10n.t(english) : english);
const list = (english: string): string => english.split(', ').map(word).join(', ');

/** Where an engine was looked for, and why none is there. */
const place = (english: string): string =>
  english.replace(
    /^(\S+) \((.+)\): (.+)$/,
    (_, host: string, origin: string, reason: string) => `${host} (${word(origin)}): ${word(reason)}`,
  );

/** In the language of the window, where there is a translation; names stay as they are. */
export function engineSentence(english: string): string {
  const known = filledIn(sentences, english);
  if (known !== undefined) return vscode.l10n.t(known[0], ...known[1].map(list));
  const [, tried] = /^No container engine answers\. (.+)\.$/.exec(english) ?? [];
  return tried === undefined
    ? english
    : `${engineSentence('No container engine answers.')} ${tried.split('; ').map(place).join('; ')}.`;
}
