/** The real agent on a temporary folder, run by the Python of this machine. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../../../../src/api/errors';
import type { AgentAccess } from '../../../../src/backend/files/agent-access';
import { AgentChannel } from '../../../../src/backend/files/agent-channel';
import { AgentFiles } from '../../../../src/backend/files/agent-files';
import { agentCommand, agentSource, findAgentDirectory } from '../../../../src/backend/files/agent-source';

export const agentDir = findAgentDirectory(__dirname);

export interface Agent {
  child: ChildProcess;
  channel: AgentChannel;
}

export async function startAgent(root: string): Promise<Agent> {
  const [program, ...args] = agentCommand('python3', root);
  const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const channel = new AgentChannel(child.stdin, child.stdout);
  await channel.start(await agentSource(agentDir));
  return { child, channel };
}

/** A folder that plays the volume. */
export class TestVolume implements AgentAccess {
  held = 0;
  started = 0;
  private agent: Promise<Agent> | undefined;
  readonly files: AgentFiles;

  private constructor(
    readonly volume: string,
    readonly root: string,
  ) {
    this.files = new AgentFiles(this);
  }

  static async create(name = 'test'): Promise<TestVolume> {
    return new TestVolume(name, await mkdtemp(join(tmpdir(), 'berth-volume-')));
  }

  async channel(): Promise<AgentChannel> {
    if (this.agent === undefined || !(await this.agent).channel.isOpen) {
      this.started++;
      this.agent = startAgent(this.root);
    }
    return (await this.agent).channel;
  }

  hold(): () => void {
    this.held++;
    return () => {
      this.held--;
    };
  }

  /** Ends the agent like a crash would. */
  async kill(): Promise<void> {
    const agent = await this.agent;
    if (agent) {
      agent.child.kill('SIGKILL');
      await agent.channel.closed;
    }
  }

  async dispose(): Promise<void> {
    await this.files.close();
    const agent = await this.agent;
    if (agent) {
      agent.channel.end();
      if (agent.child.exitCode === null && agent.child.signalCode === null) {
        await once(agent.child, 'exit');
      }
    }
    await rm(this.root, { recursive: true, force: true });
  }
}

export async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString();
}

export const hasCode = (code: string) => (error: unknown) =>
  error instanceof BerthError && (error.code as string) === code;
