/** Sentences of the engine that a newcomer meets, in the language of the window. It says them in English. */
import * as vscode from 'vscode';

const { t } = vscode.l10n;

/** What a sentence is in the language of the window, with what is filled in. */
export type Sentence = readonly [pattern: RegExp, translated: (...parts: string[]) => string];

/** Asked for when they are shown, as the language is known then. */
const words = (): Readonly<Partial<Record<string, string>>> => ({
  'nothing is there': t('nothing is there'),
  'nothing listens there': t('nothing listens there'),
  'your user may not use it': t('your user may not use it'),
  'its machine can not be reached': t('its machine can not be reached'),
  'there is no machine of that name': t('there is no machine of that name'),
  'the connection was cut off': t('the connection was cut off'),
  'its certificate, or ours, is not accepted': t('its certificate, or ours, is not accepted'),
  'what is there is no container engine': t('what is there is no container engine'),
  'the setting dockerHost': t('the setting dockerHost'),
  'the usual places': t('the usual places'),
  memory: t('memory'),
  processes: t('processes'),
  'shared memory': t('shared memory'),
  ports: t('ports'),
});

const word = (english: string): string => words()[english] ?? english;
const list = (english: string): string => english.split(', ').map(word).join(', ');

function place(english: string): string {
  const [, host = '', origin = '', reason = ''] = /^(\S+) \((.+)\): (.+)$/.exec(english) ?? [];
  return host === '' ? english : `${host} (${word(origin)}): ${word(reason)}`;
}

const sentences: readonly Sentence[] = [
  [/^No container engine answers\.$/, () => t('No container engine answers.')],
  [
    /^No container engine answers\. Nothing is at (.+)\.$/,
    (places) => t('No container engine answers. Nothing is at {0}.', places),
  ],
  [
    /^No container engine answers\. (.+)\.$/,
    (tried) => `${t('No container engine answers.')} ${tried.split('; ').map(place).join('; ')}.`,
  ],
  [
    /^Start Docker or Podman, or install one; another address goes into the setting dockerHost\.$/,
    () => t('Start Docker or Podman, or install one; another address goes into the setting dockerHost.'),
  ],
  [/^Start Docker or Podman, then try again\.$/, () => t('Start Docker or Podman, then try again.')],
  [
    /^Your user may not use the socket: (`[^`]+`), then log in again\.$/,
    (command) => t('Your user may not use the socket: {0}, then log in again.', command),
  ],
  [
    /^Takes effect with the next rebuild: (.+)\.$/,
    (what) => t('Takes effect with the next rebuild: {0}.', list(what)),
  ],
  [
    /^Takes effect with the next start: (.+)\.$/,
    (what) => t('Takes effect with the next start: {0}.', list(what)),
  ],
  [/^(`berth rebuild [^`]+`) keeps all volumes\.$/, (command) => t('{0} keeps all volumes.', command)],
  [/^(`berth restart [^`]+`) does that\.$/, (command) => t('{0} does that.', command)],
  [/^Build it: (`[^`]+`)\.$/, (command) => t('Build it: {0}.', command)],
];

/** The first of these that it is; undefined where none is. */
export function translatedBy(known: readonly Sentence[], english: string): string | undefined {
  for (const [pattern, translated] of known) {
    const found = pattern.exec(english);
    if (found !== null) {
      return translated(...found.slice(1));
    }
  }
  return undefined;
}

/** In the language of the window, where there is a translation; names stay as they are. */
export function engineSentence(english: string): string {
  return translatedBy(sentences, english) ?? english;
}
