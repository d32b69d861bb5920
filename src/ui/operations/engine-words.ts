/** What the engine calls steps and what it works on, in the language of the window. It says them in English. */
import * as vscode from 'vscode';

const { t } = vscode.l10n;

/** A closed set; what is not here has a name in it, or is of another engine. */
function known(): Readonly<Partial<Record<string, string>>> {
  return {
    'Find the image': t('Find the image'),
    'Get a base image': t('Get a base image'),
    'Prepare the kernel of microVMs': t('Prepare the kernel of microVMs'),
    'Prepare the image': t('Prepare the image'),
    'Create the container': t('Create the container'),
    'Create the microVM': t('Create the microVM'),
    'Prepare the container': t('Prepare the container'),
    'Prepare the microVM': t('Prepare the microVM'),
    'Unpack the bundles': t('Unpack the bundles'),
    Boot: t('Boot'),
    Start: t('Start'),
    Stop: t('Stop'),
    'Install git': t('Install git'),
    'Install keys and start SSH': t('Install keys and start SSH'),
    'Start Docker inside': t('Start Docker inside'),
    'Set the old runtime aside': t('Set the old runtime aside'),
    'Create the new runtime': t('Create the new runtime'),
    'Test the start': t('Test the start'),
    'Remove the runtime': t('Remove the runtime'),
    'Measure what stays': t('Measure what stays'),
    'End what is under way': t('End what is under way'),
    'Measure the files to copy': t('Measure the files to copy'),
    'Count the files to delete': t('Count the files to delete'),
    'Remove the originals': t('Remove the originals'),
    'Put in place': t('Put in place'),
    'Copy the files': t('Copy the files'),
    'Keep its home as it is now': t('Keep its home as it is now'),
    'Keep what it has outside of volumes': t('Keep what it has outside of volumes'),
    'Make the fork': t('Make the fork'),
    'Write its image': t('Write its image'),
    'Take the image in': t('Take the image in'),
    'Take over what it has outside of volumes': t('Take over what it has outside of volumes'),
    'Renew ids and keys of the copy': t('Renew ids and keys of the copy'),
    Copy: t('Copy'),
    Move: t('Move'),
    Delete: t('Delete'),
    Read: t('Read'),
    Restore: t('Restore'),
    'filling the disk': t('filling the disk'),
    'saving the disk': t('saving the disk'),
    'reading the disk': t('reading the disk'),
    packing: t('packing'),
    writing: t('writing'),
  };
}

/** Those with a name in them. */
const named: readonly [words: RegExp, translated: (name: string) => string][] = [
  [/^Build (\S+)$/, (name) => t('Build {0}', name)],
  [/^Clone (\S+)$/, (name) => t('Clone {0}', name)],
  [/^Run (.+)$/, (name) => t('Run {0}', name)],
  [/^Keep (\S+) as it is now$/, (name) => t('Keep {0} as it is now', name)],
  [/^Keep (\S+) in the trash$/, (name) => t('Keep {0} in the trash', name)],
  [/^Write (\S+)$/, (name) => t('Write {0}', name)],
  [/^Copy the files of (\S+)$/, (name) => t('Copy the files of {0}', name)],
  [/^Delete workspace (\S+)$/, (name) => t('Delete workspace {0}', name)],
  [/^Make (\d+) forks$/, (count) => t('Make {0} forks', count)],
  [/^Delete volume (\S+)$/, (name) => t('Delete volume {0}', name)],
  [
    /^Read the files of (\S+), which is paused meanwhile$/,
    (name) => t('Read the files of {0}, which is paused meanwhile', name),
  ],
];

/** In the language of the window, where there is a translation; names stay as they are. */
export function engineWords(english: string): string {
  const words = known();
  if (Object.hasOwn(words, english)) {
    return words[english] ?? english;
  }
  for (const [pattern, translated] of named) {
    const [, name] = pattern.exec(english) ?? [];
    if (name !== undefined) {
      return translated(name);
    }
  }
  return english;
}
