/**
 * The operations that this window follows, kept over its reload: the engine goes on with them, and the window shows their
 * progress and their end again.
 */
import * as vscode from 'vscode';
import { asBerthError, type Operation } from '../api';
import type { Runner, UnderWay } from './runner';
import type { Memory } from './sent-settings';

const { t } = vscode.l10n;
const key = 'berth.followed';
/** More are hardly under way at once, and none of them is shown in earnest. */
const maxKept = 50;

/** An operation, and the title that its progress has. */
export interface Followed {
  id: string;
  title: string;
}

function isFollowed(value: unknown): value is Followed {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'id') === 'string' &&
    typeof Reflect.get(value, 'title') === 'string'
  );
}

export class FollowedOperations implements UnderWay {
  /** Those of before the reload, the oldest first. */
  readonly earlier: readonly Followed[];
  private readonly now = new Map<string, string>();

  /** `memory`: that of the window, as what another one follows is shown there. */
  constructor(private readonly memory: Memory) {
    const kept = memory.get(key);
    this.earlier = Array.isArray(kept) ? kept.filter(isFollowed) : [];
    this.earlier.forEach(({ id, title }) => this.now.set(id, title));
  }

  add(id: string, title: string): void {
    this.now.set(id, title);
    this.keep();
  }

  /** It has ended, or nobody knows it any more. */
  remove(id: string): void {
    if (this.now.delete(id)) {
      this.keep();
    }
  }

  private keep(): void {
    const all = [...this.now].map(([id, title]): Followed => ({ id, title }));
    void this.memory.update(key, all.slice(-maxKept));
  }
}

/** Shows those of before the reload, each until it ends. `done` tells of one that succeeded. Never rejects. */
export async function resumeFollowed(
  runner: Pick<Runner, 'run'>,
  followed: FollowedOperations,
  done: (title: string, operation: Operation) => void,
): Promise<void> {
  await Promise.all(
    followed.earlier.map(async ({ id, title }) => {
      const outcome = await runner.run(title, async (task) => {
        task.report(t('goes on after the reload'));
        try {
          return await task.follow(await task.client.call('operations.get', { params: { id } }));
        } catch (error) {
          if (asBerthError(error).code !== 'not_found') {
            throw error;
          }
          // Of an engine that has ended since: it keeps the last ones only.
          followed.remove(id);
          return undefined;
        }
      });
      if (outcome.kind === 'done' && outcome.value !== undefined) {
        done(title, outcome.value);
      }
    }),
  );
}
