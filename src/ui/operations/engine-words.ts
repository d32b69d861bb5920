/** What the engine calls steps and what it works on, in the language of the window. It says them in English. */
import * as vscode from 'vscode';

const { t } = vscode.l10n;

/** A closed set; what is not here has a name of the user's in it, or is of another engine, and stays as it is. */
function known(): Readonly<Partial<Record<string, string>>> {
  return {
    'Find the image': t('Find the image'),
    'Prepare the image': t('Prepare the image'),
    'Create the container': t('Create the container'),
    'Create the microVM': t('Create the microVM'),
    'Prepare the container': t('Prepare the container'),
    'Prepare the microVM': t('Prepare the microVM'),
    'Unpack the bundles': t('Unpack the bundles'),
    Boot: t('Boot'),
    Start: t('Start'),
    Stop: t('Stop'),
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
    Copy: t('Copy'),
    Move: t('Move'),
    Delete: t('Delete'),
    Restore: t('Restore'),
    'filling the disk': t('filling the disk'),
    'saving the disk': t('saving the disk'),
    'reading the disk': t('reading the disk'),
    packing: t('packing'),
    writing: t('writing'),
  };
}

/** In the language of the window, where there is a translation. */
export function engineWords(english: string): string {
  const words = known();
  return Object.hasOwn(words, english) ? (words[english] ?? english) : english;
}
