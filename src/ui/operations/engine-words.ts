/** What the engine calls steps and what it works on, in the language of the window. It says them in English. */
import * as vscode from 'vscode';
import { filledIn, t } from './templates';

/** A closed set; what is not here has a name in it, or is of another engine. */
const known: ReadonlySet<string> = new Set([
  t('Find the image'),
  t('Get a base image'),
  t('Prepare the kernel of microVMs'),
  t('Prepare the image'),
  t('Create the container'),
  t('Create the microVM'),
  t('Prepare the container'),
  t('Prepare the microVM'),
  t('Unpack the bundles'),
  t('Boot'),
  t('Start'),
  t('Stop'),
  t('Install git'),
  t('Install keys and start SSH'),
  t('Start Docker inside'),
  t('Set the old runtime aside'),
  t('Create the new runtime'),
  t('Test the start'),
  t('Remove the runtime'),
  t('Measure what stays'),
  t('End what is under way'),
  t('Measure the files to copy'),
  t('Count the files to delete'),
  t('Remove the originals'),
  t('Put in place'),
  t('Copy the files'),
  t('Keep its home as it is now'),
  t('Keep what it has outside of volumes'),
  t('Make the fork'),
  t('Write its image'),
  t('Take the image in'),
  t('Take over what it has outside of volumes'),
  t('Renew ids and keys of the copy'),
  t('Copy'),
  t('Move'),
  t('Delete'),
  t('Read'),
  t('Restore'),
  t('filling the disk'),
  t('saving the disk'),
  t('reading the disk'),
  t('packing'),
  t('writing'),
]);

/** Those with a name in them. */
const named: readonly string[] = [
  t('Build {0}'),
  t('Clone {0}'),
  t('Keep {0} as it is now'),
  t('Keep {0} in the trash'),
  t('Write {0}'),
  t('Copy the files of {0}'),
  t('Delete workspace {0}'),
  t('Make {0} forks'),
  t('Delete volume {0}'),
  t('Read the files of {0}, which is paused meanwhile'),
];

/** Those with anything in them. */
const commands: readonly string[] = [t('Run {0}')];

/** In the language of the window, where there is a translation; names stay as they are. */
export function engineWords(english: string): string {
  if (known.has(english)) return vscode.l10n.t(english);
  const [key, filled] = filledIn(named, english, '\\S+') ?? filledIn(commands, english) ?? [english, []];
  return key === english ? english : vscode.l10n.t(key, ...filled);
}
