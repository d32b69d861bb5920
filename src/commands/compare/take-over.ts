/** Takes changes of the view over to the other side, after a dialog that names what goes there; what was there is kept first where that is cheap. */
import * as vscode from 'vscode';
import { asBerthError, type BerthError, type Change, type TakenChange, type TakeOverResult } from '../../api';
import { resultOf } from '../../api/rules/results';
import { snapshotFilesOf } from '../../api/rules/root-files';
import { gibibyte } from '../../api/rules/sizes';
import { canBeKept } from '../../api/snapshots/possible';
import type { EngineClient } from '../../client/engine-client';
import { showInformationMessage, showWarningMessage } from '../../ui/messages';
import { printable } from '../../ui/plain-label';
import { Cancelled, type Task } from '../../ui/runner';
import { asSentence } from '../../ui/words';
import type { Handler, Services } from '../command';
import { confirm } from '../input';
import type { ComparedSide } from '../snapshot/open-changes';
import { changesBelow, countChanges } from './change-nodes';
import type { ChangeRow } from './changes-tree';
import type { Comparison } from './comparison';
import { countWords } from './count-words';
import { addedUp, inRequests, takenAgain, takenBack, takenTo, type Side } from './taken';

const { t } = vscode.l10n;
/** Named in a dialog, and in a message. */
const maxNamed = 10;
const maxInMessage = 3;
/** The first snapshot of a volume copies all of it, at worst: of more than that nobody waits for it unasked. */
const cheapBytes = 2 * gibibyte;
const maxDescription = 80;
/** Codes of errors that a snapshot fails with however often it is tried. */
const impossible: readonly string[] = ['not_supported', 'no_space', 'illegal_state'];

type TakeServices = Pick<Services, 'runner' | 'link'> & {
  comparison: Comparison;
  log: Pick<Services['log'], 'warn' | 'show'>;
};

interface Taking {
  from: ComparedSide;
  to: ComparedSide;
  changes: readonly Change[];
  taken: TakenChange[];
}

/**
 * Takes the clicked or selected rows over to one side; without a row, all. Throws `Cancelled` where there is nothing to
 * take over, or the side can't be changed.
 */
export const takeOver =
  (services: TakeServices, side: Side): Handler =>
  async (target, selected) => {
    const { sides, changes: all } = services.comparison.shown;
    const rows = rowsOf(target, selected);
    const changes = changesBelow(rows.length === 0 ? [all.root] : rows.map(({ top }) => top));
    const [from, to] = side === 'left' ? [sides.after, sides.before] : [sides.before, sides.after];
    if (changes.length === 0 || to.isFixed === true) {
      throw new Cancelled();
    }
    const taking: Taking = { from, to, changes, taken: takenTo(side, changes) };
    const isKept = await isCheapToKeep(await services.link.client(), to.name);
    await ask(taking, isKept);
    await perform(services, taking, { isKept, overwrite: false });
  };

function rowsOf(target: unknown, selected: unknown): Extract<ChangeRow, { type: 'change' }>[] {
  const rows = Array.isArray(selected) && selected.includes(target) ? selected : [target];
  return rows.filter(isChange);
}

function isChange(row: unknown): row is Extract<ChangeRow, { type: 'change' }> {
  return typeof row === 'object' && row !== null && 'type' in row && row.type === 'change';
}

async function isCheapToKeep(client: EngineClient, volume: string): Promise<boolean> {
  const [known, snapshots] = await Promise.all([
    client.call('volumes.get', { params: { volume } }),
    client.call('snapshots.list', { params: { volume } }),
  ]);
  return canBeKept(known) && (snapshots.length > 0 || (known.usedBytes ?? 0) <= cheapBytes);
}

/** `why`: there can be no snapshot, in words. */
async function ask({ from, to, changes, taken }: Taking, isKept: boolean, why?: string): Promise<void> {
  const gone = taken.filter((each) => each.from === undefined).map(({ path }) => path);
  const [only] = changes;
  await confirm({
    message:
      changes.length === 1 && only !== undefined
        ? t('Take {0} over to {1}?', printable(only.path), to.title)
        : t('Take {0} changes over to {1}?', changes.length, to.title),
    detail: [
      t('From {0}: {1}.', from.title, countWords(countsFor(taken))),
      ...(gone.length === 0 ? [] : [[t('Deleted in {0}:', to.title), ...named(gone)].join('\n')]),
      [
        t('What has changed there since it was compared is left as it is.'),
        isKept
          ? t('{0} is kept as a snapshot first, so that this can be undone.', to.title)
          : t('There is no snapshot of {0} first: this can’t be undone.', to.title),
      ].join(' '),
      ...(why === undefined ? [] : [asSentence(printable(why))]),
    ].join('\n\n'),
    act: t('Take Over'),
    harmless: { title: t('Change Nothing') },
  });
}

/** As the side sees it that they go to. */
const countsFor = (taken: readonly TakenChange[]) =>
  countChanges(
    taken.map(({ path, from, to }) => ({
      path,
      kind: from === undefined ? 'removed' : to === undefined ? 'added' : 'changed',
    })),
  );

function named(paths: readonly string[]): string[] {
  const sorted = [...paths].sort();
  const rest = sorted.length - maxNamed;
  return [...sorted.slice(0, maxNamed).map(printable), ...(rest > 0 ? [t('… and {0} more', rest)] : [])];
}

interface Ways {
  isKept: boolean;
  overwrite: boolean;
}

async function perform(services: TakeServices, taking: Taking, ways: Ways): Promise<void> {
  const { runner, comparison } = services;
  const { from, to, taken } = taking;
  const outcome = await runner.run(t('Taking changes over to {0}', to.title), async (task) => {
    const first = ways.isKept ? await keepFirst(task, to.name, from.title) : { snapshot: undefined };
    if ('impossible' in first) {
      return first;
    }
    const sent = await send(task, { from: from.name, to: to.name }, taken, ways.overwrite);
    return { ...sent, ...first };
  });
  if (outcome.kind === 'done' && 'impossible' in outcome.value) {
    await ask(taking, false, outcome.value.impossible);
    return perform(services, taking, { ...ways, isKept: false });
  }
  await comparison.again().catch(ignoreCancelled);
  if (outcome.kind === 'done' && 'result' in outcome.value) {
    await report(services, taking, outcome.value);
  }
}

/** Answers its id, or why there can be none: that is no reason not to take changes over, where the user agrees. */
async function keepFirst(
  task: Task,
  volume: string,
  from: string,
): Promise<{ snapshot: string } | { impossible: string }> {
  const words = t('before changes of {0} were taken over', from);
  const description = Array.from(words).slice(0, maxDescription).join('');
  try {
    const made = await task.follow(
      await task.client.call('snapshots.create', { params: { volume }, body: { description } }),
    );
    return { snapshot: resultOf(made, 'snapshot.create').snapshot };
  } catch (error) {
    const { code, message } = asBerthError(error);
    if (impossible.includes(code)) {
      return { impossible: message };
    }
    throw error;
  }
}

interface Sent {
  result: TakeOverResult;
  /** Of what it has asked for: that which ended early may have been done in part. */
  asked: TakenChange[];
  /** Why it ended before all was done. */
  error?: BerthError;
}

/** Throws where it ended with nothing done. */
async function send(
  task: Task,
  { from, to }: { from: string; to: string },
  taken: readonly TakenChange[],
  overwrite: boolean,
): Promise<Sent> {
  const results: TakeOverResult[] = [];
  const asked: TakenChange[] = [];
  for (const changes of inRequests(taken)) {
    const body = { from: { volume: from, path: '/' }, to: { volume: to, path: '/' }, changes, overwrite };
    let id: string | undefined;
    try {
      const begun = await task.client.call('takeovers.create', { query: { wait: 0 }, body });
      id = begun.id;
      results.push(resultOf(await task.follow(begun), 'takeover'));
      changes.forEach((each) => asked.push(each));
    } catch (error) {
      const isHalfDone = id !== undefined && (await hasPlaced(task.client, id));
      if (!isHalfDone && !isAnythingDone(addedUp(results))) {
        throw error;
      }
      (isHalfDone ? changes : []).forEach((each) => asked.push(each));
      return { result: addedUp(results), asked, error: asBerthError(error) };
    }
  }
  return { result: addedUp(results), asked };
}

const isAnythingDone = ({ taken, removed }: TakeOverResult): boolean => taken + removed > 0;

/** Whether it has begun to change something. */
async function hasPlaced(client: EngineClient, id: string): Promise<boolean> {
  try {
    const { steps } = await client.call('operations.get', { params: { id } });
    return steps.some(({ name }) => name === 'place');
  } catch {
    return true;
  }
}

async function report(
  services: TakeServices,
  taking: Taking,
  { snapshot, result, asked, error }: Sent & { snapshot: string | undefined },
): Promise<void> {
  const { log } = services;
  const [undo, over, show] = [t('Undo'), t('Overwrite These…'), t('Show Berth Log')];
  const changed = new Set(result.left.filter(({ why }) => why === 'target').map(({ path }) => path));
  const isDone = error !== undefined || isAnythingDone(result);
  const text =
    error === undefined
      ? t('{0} taken over to {1}, {2} deleted there.', result.taken, taking.to.title, result.removed)
      : endedWords(taking, error);
  const buttons = [
    ...(snapshot !== undefined && isDone ? [undo] : []),
    ...(changed.size > 0 ? [over] : []),
    ...(result.leftInAll > 0 ? [show] : []),
  ];
  result.left.forEach(({ path, reason }) => log.warn(`${path} was not taken over: ${reason}`));
  if (error !== undefined) {
    log.warn(`Not all was taken over: ${error.message}`);
  }
  const left = result.leftInAll === 0 ? [] : [leftWords(result)];
  const answer = await (left.length === 0 && error === undefined
    ? showInformationMessage(text, ...buttons)
    : showWarningMessage([text, ...left].join(' '), ...buttons));
  if (answer === undo && snapshot !== undefined) {
    await takeBack(services, { ...taking, taken: asked }, { snapshot, left: result.left });
  } else if (answer === over) {
    await overwrite(services, taking, changed);
  } else if (answer === show) {
    log.show();
  }
}

/** What was done of the last part, the engine says. */
function endedWords({ to }: Taking, { message }: BerthError): string {
  return asSentence(t('Not all was taken over to {0}; what was by then stays. {1}', to.title, message));
}

/** E.g. `Left as they are: /a (it has changed there since it was compared)`. */
function leftWords({ left, leftInAll }: TakeOverResult): string {
  const shown = left.slice(0, maxInMessage).map(({ path, reason }) => `${printable(path)} (${reason})`);
  const rest = leftInAll - shown.length;
  const all = [...shown, ...(rest > 0 ? [t('… and {0} more', rest)] : [])].join(', ');
  return asSentence(t('Left as it is: {0}', all));
}

async function overwrite(services: TakeServices, taking: Taking, paths: ReadonlySet<string>): Promise<void> {
  const { to } = taking;
  const taken = takenAgain(taking.taken, paths);
  await confirm({
    message: t('Overwrite what has changed in {0} since it was compared?', to.title),
    detail: named(taken.map(({ path }) => path)).join('\n'),
    act: t('Overwrite'),
    harmless: { title: t('Keep') },
  });
  const isKept = await isCheapToKeep(await services.link.client(), to.name);
  await perform(services, { ...taking, taken }, { isKept, overwrite: true });
}

/** From the snapshot, what was taken over and has not changed since. */
async function takeBack(
  { runner, comparison, log }: TakeServices,
  { to, taken }: Taking,
  { snapshot, left }: { snapshot: string; left: TakeOverResult['left'] },
): Promise<void> {
  const outcome = await runner.run(t('Undoing in {0}', to.title), (task) =>
    send(task, { from: snapshotFilesOf(snapshot), to: to.name }, takenBack(taken, left), false),
  );
  await comparison.again().catch(ignoreCancelled);
  if (outcome.kind === 'done') {
    const { result: value, error } = outcome.value;
    value.left.forEach(({ path, reason }) => log.warn(`${path} was not taken back: ${reason}`));
    const text = t('{0} is as it was.', to.title);
    if (error !== undefined) {
      await runner.report(t('Undoing in {0}', to.title), error);
      return;
    }
    void (value.leftInAll === 0
      ? showInformationMessage(text)
      : showWarningMessage(leftWords(value), t('Show Berth Log')));
  }
}

function ignoreCancelled(error: unknown): void {
  if (!(error instanceof Cancelled)) {
    throw error;
  }
}
