/** One real engine process, of the compiled sources, on a state directory that the test gives. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { socketPath } from '../../../src/api/rules/endpoint';
import { EngineClient } from '../../../src/client/engine-client';
import { probe } from '../../../src/client/launch';

export const enginePath = resolve(__dirname, '../../../src/backend/main.js');
const startTimeoutMs = 30_000;
const endTimeoutMs = 25_000;

export class EngineProcess {
  readonly client: EngineClient;
  readonly exited: Promise<number | NodeJS.Signals>;
  private stderr = '';
  private hasExited = false;

  private constructor(
    home: string,
    private readonly child: ChildProcess,
  ) {
    this.client = new EngineClient(socketPath(home));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((done) => {
      child.once('exit', (code, signal) => {
        this.hasExited = true;
        done(code ?? signal ?? -1);
      });
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** What it has said on its standard error, which clients keep in `engine.stderr`. */
  get said(): string {
    return this.stderr;
  }

  get isRunning(): boolean {
    return !this.hasExited;
  }

  /** Resolves when it answers. `program`: another one than that of these sources. */
  static async start(
    home: string,
    env: NodeJS.ProcessEnv = {},
    program = enginePath,
  ): Promise<EngineProcess> {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const child = spawn(process.execPath, [program], {
      cwd: home,
      env: { ...process.env, BERTH_IDLE_EXIT_MS: '600000', ...env, BERTH_HOME: home },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const engine = new EngineProcess(home, child);
    await engine.untilAnswering();
    return engine;
  }

  /** At once, as by a power cut. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended();
  }

  /** The way a user ends it. */
  async stop(): Promise<void> {
    if (this.isRunning) {
      this.child.kill('SIGTERM');
      await this.ended();
    }
    this.client.dispose();
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Its exit code, or the signal that ended it; fails when it does not end. */
  async ended(withinMs = endTimeoutMs): Promise<number | NodeJS.Signals> {
    const timer = new AbortController();
    const late = sleep(withinMs, undefined, { signal: timer.signal }).then(
      () => {
        this.child.kill('SIGKILL');
        throw new Error(`The engine did not end within ${withinMs} ms.\n${this.stderr}`);
      },
      () => -1,
    );
    try {
      return await Promise.race([this.exited, late]);
    } finally {
      timer.abort();
      this.client.dispose();
    }
  }

  private async untilAnswering(): Promise<void> {
    const end = Date.now() + startTimeoutMs;
    while (Date.now() < end) {
      if ((await probe(this.client)) !== undefined) {
        return;
      }
      if (this.hasExited) {
        throw new Error(`The engine ended before it answered (${await this.exited}):\n${this.stderr}`);
      }
      await sleep(20);
    }
    this.child.kill('SIGKILL');
    throw new Error(`The engine did not answer within ${startTimeoutMs} ms:\n${this.stderr}`);
  }
}
