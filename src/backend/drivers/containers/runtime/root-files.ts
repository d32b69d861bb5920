/** All files of a container as its shell sees them: through an agent in one that runs, by the engine's archive else. */
import type Dockerode from 'dockerode';
import { BerthError, asBerthError } from '../../../../api/errors';
import { rootFilesOf } from '../../../../api/rules/root-files';
import { AgentFiles } from '../../../files/agent/agent-files';
import { InsideAgent, type AgentProcess } from '../../../files/agent/inside-agent';
import { quote } from '../../../../api/rules/volume-path';
import { TarFiles } from '../../../files/tar-files';
import type { VolumeFiles } from '../../../files/volume-files';
import type { RuntimeInfo } from '../../driver';
import { demultiplex } from '../engine/demux';
import type { Endpoint } from '../engine/endpoint';
import { startExec } from './exec';
import { getArchive, isSocketIn } from '../volumes/keeper-archive';

/** As the engine tells removed files from new and changed ones. */
const removedKind = 2;

export class RootFiles {
  /** Of containers that run or have run, by name. */
  private readonly agents = new Map<string, { id: string; files: VolumeFiles }>();

  constructor(
    private readonly endpoint: Endpoint,
    private readonly agentDirectory: string,
  ) {}

  /** The files of a root file system. Throws `illegal_state` where there is none, and while it is paused. */
  of(name: string, info: RuntimeInfo | undefined): VolumeFiles {
    const workspace = info?.workspace ?? name;
    if (info === undefined) {
      throw new BerthError('illegal_state', `${name} is not there: it has no files outside of its volumes.`, {
        hint: `Start it: \`berth start ${name.replace(/^workspace-/, '')}\`.`,
      });
    }
    if (info.state === 'paused') {
      throw new BerthError('illegal_state', `${workspace} is paused: only its volumes can be read now.`, {
        hint: `Resume it: \`berth resume ${workspace}\`.`,
      });
    }
    return info.state === 'running' ? this.running(info, workspace) : this.stopped(info, workspace);
  }

  private running({ id, name }: RuntimeInfo, workspace: string): VolumeFiles {
    const known = this.agents.get(name);
    if (known?.id === id) {
      return known.files;
    }
    const files = new AgentFiles(
      new InsideAgent({
        volume: rootFilesOf(workspace),
        target: '/',
        agentDirectory: this.agentDirectory,
        run: (argv) => this.run(id, argv),
      }),
    );
    this.agents.set(name, { id, files });
    return files;
  }

  private async run(id: string, argv: string[]): Promise<AgentProcess> {
    const { stream } = await startExec(this.endpoint, id, {
      argv,
      user: '0:0',
      tty: false,
      env: [],
      cwd: '/',
    });
    const { stdout, stderr } = demultiplex(stream);
    return { stdin: stream, stdout, stderr, destroy: () => void stream.destroy() };
  }

  private stopped({ id }: RuntimeInfo, workspace: string): VolumeFiles {
    return new TarFiles(
      rootFilesOf(workspace),
      async (path, signal) => {
        try {
          return await this.endpoint.call(`read ${path}`, (docker) =>
            getArchive(docker, id, path, signal, ''),
          );
        } catch (error) {
          throw ofPath(path, error);
        }
      },
      () =>
        new BerthError(
          'illegal_state',
          `${workspace} does not run: what it has outside of its volumes can be read, not changed.`,
          { hint: `Start it: \`berth start ${workspace}\`.` },
        ),
      {
        changed: () =>
          this.endpoint.call(`list what changed in ${workspace}`, async (docker) => changedIn(docker, id)),
        isSocket: (path) => this.endpoint.call(`look at ${path}`, (docker) => isSocketIn(docker, id, path)),
      },
    );
  }
}

async function changedIn(docker: Dockerode, id: string): Promise<string[]> {
  const changes = (await docker.getContainer(id).changes()) as { Path: string; Kind: number }[] | null;
  return (changes ?? []).filter(({ Kind }) => Kind !== removedKind).map(({ Path }) => Path);
}

/** What the engine has no status for, and says with a path of its own. */
export function ofPath(path: string, error: unknown): unknown {
  const { message, detail = '' } = asBerthError(error);
  const said = `${message} ${detail}`;
  if (/: not a directory\b/i.test(said)) {
    return new BerthError('not_a_directory', `${quote(path)}, or a part of it, is not a folder.`, {
      cause: error,
    });
  }
  return /too many (?:links|levels)/i.test(said)
    ? new BerthError('path_not_found', `Too many links on the way to ${quote(path)}.`, { cause: error })
    : error;
}
