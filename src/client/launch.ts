/** Finds the engine of a state directory, or starts it; hands over from an older engine when that is idle. */
import { BerthError } from '../api/errors';
import type { EngineInfo } from '../api/engine/schemas';
import { compareVersions, protocolVersion } from '../api/version';
import { socketPath, stateDirectory } from './endpoint';
import { EngineClient } from './engine-client';
import type { StartOptions } from './start-engine';
import { EngineUnreachable } from './transport';
import { pollFor } from './wait';
import { loadPart } from './load-part';

export interface LaunchOptions extends StartOptions {
  /** The version of this client; an idle engine of an older version is replaced. */
  version: string;
  home?: string;
  /** Told before an engine is started. */
  onStart?: () => void;
}

type Identity = Pick<EngineInfo, 'pid' | 'startedAt'>;
/** What an engine says of itself, at once. */
type OwnInfo = Omit<EngineInfo, 'drivers'>;

const pollMs = 20;
/** Other clients may start engines of other versions meanwhile. */
const maxRounds = 3;

/**
 * The running engine's description, or undefined when none answers. Drivers are not asked: each command begins with this,
 * and a container engine may be slow.
 */
export async function probe(client: EngineClient): Promise<OwnInfo | undefined> {
  try {
    return await client.callRunning('engine.info', {
      query: { drivers: false },
      signal: AbortSignal.timeout(10_000),
    });
  } catch (error) {
    if (error instanceof EngineUnreachable) {
      return undefined;
    }
    throw error;
  }
}

/**
 * A client of a running engine: of this version, or of one that this version can talk to. When the engine ends while the
 * client is used, the next request starts another.
 */
export async function connect(options: LaunchOptions): Promise<EngineClient> {
  const home = options.home ?? stateDirectory();
  let reviving: Promise<void> | undefined;
  const revive = (): Promise<void> => {
    reviving ??= launch(home, options).finally(() => (reviving = undefined));
    return reviving;
  };
  await launch(home, options);
  return new EngineClient(socketPath(home), revive);
}

/** Resolves when an engine answers. */
async function launch(home: string, options: LaunchOptions): Promise<void> {
  const client = new EngineClient(socketPath(home));
  try {
    for (let round = 1; ; round += 1) {
      const running = await probe(client);
      if (running === undefined) {
        options.onStart?.();
        // In the extension a file of its own: most windows find an engine.
        const { startEngine } = await loadPart(import(/* webpackChunkName: "start" */ './start-engine.js'));
        await startEngine(home, options, async () => (await probe(client)) !== undefined);
        return;
      }
      const isOurs = running.version === options.version;
      if (isOurs || round > maxRounds || !(await handOver(client, running, options))) {
        refuseOtherProtocol(running, options.version);
        return;
      }
    }
  } finally {
    client.dispose();
  }
}

/** true: the engine of an older version has gone. A newer one never gives way to an older one. */
async function handOver(
  client: EngineClient,
  running: OwnInfo,
  { version }: LaunchOptions,
): Promise<boolean> {
  if (compareVersions(version, running.version) <= 0) {
    return false;
  }
  const answer = await client
    .callRunning('engine.stop', { body: { onlyIfIdle: true } })
    .catch((error: unknown) => {
      // Another client of this version was quicker.
      if (error instanceof EngineUnreachable) {
        return { stopping: true, reason: undefined };
      }
      throw error;
    });
  if (answer.stopping) {
    await untilGone(client, running);
    return true;
  }
  refuseOtherProtocol(running, version, answer.reason);
  return false;
}

function refuseOtherProtocol(running: OwnInfo, version: string, reason?: string): void {
  if (running.protocol === protocolVersion) {
    return;
  }
  const isNewer = compareVersions(running.version, version) > 0;
  throw new BerthError(
    'runtime_unavailable',
    isNewer
      ? `The engine is of the newer version ${running.version}, which this version (${version}) does not understand.`
      : `An engine of version ${running.version} is busy (${reason ?? 'working'}) and does not understand this version (${version}).`,
    {
      hint: isNewer
        ? 'Reload the window, or use the newer `berth`.'
        : 'Try again when its work is done, or stop it with `berth down`.',
    },
  );
}

/** Waits until no engine answers any more, or another than `old`. Throws `timeout` after 15 s. */
export async function untilGone(client: EngineClient, old?: Identity): Promise<void> {
  const isGone = async (): Promise<true | undefined> => {
    const now = await probe(client);
    return now === undefined || (old !== undefined && !isSame(now, old)) ? true : undefined;
  };
  if ((await pollFor(isGone, { timeoutMs: 15_000, intervalMs: pollMs })) === undefined) {
    throw new BerthError('timeout', 'The older engine did not end within 15 s.', {
      hint: 'Look at engine.log in the state directory.',
    });
  }
}

function isSame(a: Identity, b: Identity): boolean {
  return a.pid === b.pid && a.startedAt === b.startedAt;
}
