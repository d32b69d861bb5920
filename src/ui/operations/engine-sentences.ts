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
  t('that machine can not be reached'),
  t('that machine does not let you in without a password'),
  t('the Docker of that machine does not answer'),
  t('there is no such image'),
  t('the registry can not be reached'),
  t('the disk is full'),
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
  t('No container engine answers at {0}: {1}.'),
  t('See that {0} works.'),
  t('{0} says what is missing.'),
  t('QEMU is not installed: there is no {0} and no {1}.'),
  t('QEMU is not installed: there is no {0}.'),
  t('Install it, e.g. {0}. Containers work without it.'),
  t('Install it: {0}.'),
  t('Install it from {0}.'),
  t('Could not pull {0}: {1}.'),
  t('Check the spelling of the image, or log in to its registry with {0}.'),
  t('Check the network and the name of the image.'),
  t("The registry {0} can't be reached."),
  t('Look at the network, then try again.'),
  t("Image '{0}' is not on this machine."),
  t("There is no image '{0}' of microVMs."),
  t('{0} shows the ones there are.'),
];

/** What somebody else said of it stays in brackets behind it, as it was said. */
const word = (english: string): string => {
  const [, reason = english, said = ''] = /^(.*?)( \(.+\))$/s.exec(english) ?? [];
  return words.has(reason) ? vscode.l10n.t(reason) + said : english;
};
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
