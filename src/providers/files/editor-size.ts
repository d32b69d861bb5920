/** Which files are opened in an editor without a question, and which may be copied through VS Code. */
import * as vscode from 'vscode';
import { mebibyte } from '../../api/rules/sizes';
import { formatBytes } from '../../ui/sizes';
import { setting } from '../../ui/settings';

const { t } = vscode.l10n;
const defaultMebibytes = 50;

/** VS Code copies from one file system to another by reading and writing whole files, in this process and in the window. */
export const maxWholeBytes = 1_000_000_000;

/** Whether a file of `size` bytes is opened without a question. */
export function isForEditor({ size }: { size: number }): boolean {
  return size <= setting('files.maxEditorSizeMiB', defaultMebibytes) * mebibyte;
}

/** Why a file of `size` bytes is not copied so, and what does copy it. */
export function tooLargeToCopy(path: string, size: number): string {
  return t(
    '{0} is {1} large, more than VS Code can copy from one file system to another. Copy it with `berth cp` in a terminal.',
    path,
    formatBytes(size),
  );
}
