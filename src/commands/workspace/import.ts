import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { BerthError } from '../../api';
import { mebibyte } from '../../api/rules/sizes';
import type { ImportQuery, ImportResult } from '../../api/workspaces/export';
import { importWorkspace } from '../../client/workspace-file';
import { amountText } from '../../ui/progress';
import { Cancelled, type Task } from '../../ui/runner';
import { asSentence } from '../../ui/words';
import type { Handler, Services } from '../command';
import { ask, confirm } from '../input';
import { freeName } from './create/draft';
import { nameMessage } from './create/name-words';
import { reportEnd } from './report-end';
import { pathOf, workspaceFiles } from './workspace-files';

const { t } = vscode.l10n;
const reportEveryMs = 200;

type ImportServices = Pick<Services, 'runner' | 'store' | 'log'>;

/**
 * Makes a workspace of a file that an export wrote. Asks for another name, and for trust, where the engine wants them.
 * Throws `Cancelled` when no file is chosen.
 */
export const importFile =
  (services: ImportServices): Handler =>
  async () => {
    const [chosen] =
      (await vscode.window.showOpenDialog({
        defaultUri: vscode.Uri.file(homedir()),
        filters: workspaceFiles(),
        title: t('Import Workspace'),
        openLabel: t('Import'),
      })) ?? [];
    if (chosen === undefined) {
      throw new Cancelled();
    }
    const result = await importAsked(services, pathOf(chosen));
    if (result !== undefined) {
      void reportEnd(services.log, t('Imported {0}', result.workspace), notesOf(result));
    }
  };

/** What the engine refuses for want of an answer is asked, and the file sent again. */
async function importAsked(
  { runner, store }: ImportServices,
  path: string,
): Promise<ImportResult | undefined> {
  const title = t('Importing {0}', basename(path));
  let query: ImportQuery = {};
  for (;;) {
    const outcome = await runner.watched(title, (task) => send(task, path, query));
    if (outcome.kind !== 'failed') {
      return outcome.kind === 'done' ? outcome.value : undefined;
    }
    const { error } = outcome;
    const { code, field } = error;
    if (code === 'exists' && field === 'name') {
      query = { ...query, name: await askName(store, error, path) };
    } else if (code === 'needs_confirmation' && field === 'trust') {
      await confirmTrust(error, path);
      query = { ...query, trust: true };
    } else {
      await runner.report(title, error);
      return undefined;
    }
  }
}

async function send(task: Task, path: string, query: ImportQuery): Promise<ImportResult> {
  const { size } = await stat(path);
  const content = createReadStream(path, { highWaterMark: mebibyte });
  let done = 0;
  let reportedAt = 0;
  content.on('data', (chunk) => {
    done += chunk.length;
    if (Date.now() - reportedAt >= reportEveryMs || done === size) {
      reportedAt = Date.now();
      task.report(amountText({ unit: 'bytes', done, total: size }), (done / Math.max(1, size)) * 100);
    }
  });
  // Whoever sends it decides when it flows.
  content.pause();
  try {
    return await importWorkspace(task.client, content, query, task.signal);
  } finally {
    content.destroy();
  }
}

async function askName(store: Services['store'], { message }: BerthError, path: string): Promise<string> {
  const wanted = basename(path).replace(/\.berth$/, '');
  return ask({
    title: t('Import Workspace'),
    prompt: t('{0} Import it under another name.', asSentence(message)),
    value: freeName(wanted, (name) => nameMessage(store, name) === undefined),
    validate: (text) => nameMessage(store, text),
  });
}

const confirmTrust = ({ message }: BerthError, path: string): Promise<void> =>
  confirm({
    message: t('Do you trust {0}?', basename(path)),
    detail: t('{0}\n\nImport it only if you know where the file comes from.', asSentence(message)),
    act: t('Trust and Import'),
    harmless: { title: t('Do Not Import') },
  });

/** What is not as it was where the file comes from. */
function notesOf({
  workspace,
  leftOut,
  renamed,
  ports,
  published,
  secretNames,
  warnings,
}: ImportResult): string[] {
  const moved = ports.map(({ from, guest }) => {
    const host = published.find((port) => port.guest === guest)?.host;
    return host === undefined
      ? t('Its port {0} is no longer published at {1}', guest, from)
      : t('Its port {0} is published at {1} here, not at {2}', guest, host, from);
  });
  return [
    ...warnings,
    ...renamed.map(({ from, to }) => t('Its volume {0} is called {1} here', from, to)),
    ...moved,
    ...(secretNames.length === 0
      ? []
      : [t('Set its secrets in a terminal: berth set {0}{1}', workspace, flagsOf(secretNames))]),
    ...leftOut.map((what) => t('Not in the file: {0}', what)),
  ];
}

const flagsOf = (secretNames: readonly string[]): string =>
  secretNames.map((name) => ` --secret ${name}`).join('');
