/** A Podman service of the test's own: images, containers, volumes and network apart from any other. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { eventually } from '../engine/engine-harness';
import { runProgram, succeed } from '../programs';
import { endDaemon, hasEnded, removeMountedFolder } from './daemon-process';

const startTimeoutMs = 30_000;

/**
 * An OCI runtime for machines whose root may neither grant CAP_SYS_RESOURCE nor raise limits: it takes both out of
 * what a container asks for.
 */
const wrapper = `#!/bin/sh
lower() {
  [ -f "$1" ] || return 0
  python3 - "$1" <<'END'
import json, sys
with open(sys.argv[1]) as file:
    spec = json.load(file)
process = spec.get("process", spec)
process.pop("rlimits", None)
for names in (process.get("capabilities") or {}).values():
    if "CAP_SYS_RESOURCE" in names:
        names.remove("CAP_SYS_RESOURCE")
with open(sys.argv[1], "w") as file:
    json.dump(spec, file)
END
}
previous=
for argument in "$@"; do
  case "$previous" in
    --bundle | -b) lower "$argument/config.json" ;;
    --process | -p) lower "$argument" ;;
  esac
  previous=$argument
done
exec runc "$@"
`;

export class PrivatePodman {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-podman-'));
  readonly socket = join(this.folder, 'podman.sock');
  readonly docker = new Dockerode({ socketPath: this.socket });
  private child: ChildProcess | undefined;

  get host(): string {
    return `unix://${this.socket}`;
  }

  /** Why there can't be one here; undefined when there can. */
  static async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) {
      return 'a Podman service of its own needs root';
    }
    for (const program of ['podman', 'runc', 'python3']) {
      if ((await runProgram('sh', ['-c', 'command -v "$0"', program])).code !== 0) {
        return `${program} is not installed`;
      }
    }
    return undefined;
  }

  async start(): Promise<void> {
    await this.writeConfiguration();
    const log = openSync(join(this.folder, 'podman.log'), 'a');
    this.child = spawn('podman', ['system', 'service', '--time=0', this.host], {
      stdio: ['ignore', log, log],
      env: this.environment,
    });
    closeSync(log);
    const ping = () => this.docker.ping().then(Boolean, () => (hasEnded(this.child) ? 'ended' : undefined));
    const answer = await eventually('the private Podman answers', ping, startTimeoutMs);
    if (answer === 'ended') {
      throw new Error(
        `podman ended: ${(await readFile(join(this.folder, 'podman.log'), 'utf8')).slice(-2000)}`,
      );
    }
  }

  /** Copies images of the shared Docker daemon, all in one go. */
  async take(...images: string[]): Promise<void> {
    const file = join(this.folder, 'images.tar');
    await succeed('docker', ['save', '-o', file, ...images], { timeoutMs: 60_000 });
    await succeed('podman', ['load', '-q', '-i', file], { timeoutMs: 120_000, env: this.environment });
    await succeed('rm', [file]);
  }

  async podman(...argv: string[]): Promise<string> {
    return succeed('podman', argv, { env: this.environment, timeoutMs: 60_000 });
  }

  async dispose(): Promise<void> {
    await runProgram('podman', ['rm', '--all', '--force', '--time', '0'], { env: this.environment });
    await endDaemon(this.child, startTimeoutMs);
    await removeMountedFolder(this.folder);
  }

  private get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      CONTAINERS_CONF: join(this.folder, 'containers.conf'),
      CONTAINERS_STORAGE_CONF: join(this.folder, 'storage.conf'),
      CONTAINERS_REGISTRIES_CONF: join(this.folder, 'registries.conf'),
      TMPDIR: this.folder,
    };
  }

  private async writeConfiguration(): Promise<void> {
    const { folder } = this;
    const runtime = join(folder, 'runc-lowered');
    await writeFile(runtime, wrapper);
    await chmod(runtime, 0o755);
    const engine = [
      '[containers]',
      'log_driver = "k8s-file"',
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      'runtime = "lowered"',
      `tmp_dir = "${join(folder, 'tmp')}"`,
      `volume_path = "${join(folder, 'volumes')}"`,
      '[engine.runtimes]',
      `lowered = ["${runtime}"]`,
      '[network]',
      `network_config_dir = "${join(folder, 'networks')}"`,
      '',
    ];
    await writeFile(join(folder, 'containers.conf'), engine.join('\n'));
    const storage = [
      '[storage]',
      'driver = "overlay"',
      `graphroot = "${join(folder, 'storage')}"`,
      `runroot = "${join(folder, 'run')}"`,
      '',
    ];
    await writeFile(join(folder, 'storage.conf'), storage.join('\n'));
    const registries = 'unqualified-search-registries = ["localhost"]\n';
    await writeFile(join(folder, 'registries.conf'), registries);
  }
}
