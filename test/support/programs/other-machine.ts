/**
 * A machine of its own as far as networks go: a network name space with a Docker daemon, which listens on TCP with
 * TLS, and an sshd. What it publishes on its loopback is not on this one's.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { chmod, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Dockerode from 'dockerode';
import { eventually } from '../engine/engine-harness';
import { runProgram, succeed } from '../programs';

/** Installed by `npm start` where root may not raise limits. */
const wrapper = '/usr/local/lib/berth/runc-nosysres';
const startTimeoutMs = 30_000;
const programs = ['dockerd', 'ip', 'nsenter', 'sshd', 'openssl', 'ssh-keygen'];

/** What its sshd refuses, by the port that it listens on for that. */
const refusals = {
  /** No command but those of the shell. */
  bare: { port: 2201, sshd: 'SetEnv PATH=/nowhere' },
  forwardsNothing: { port: 2202, sshd: 'AllowTcpForwarding no\n  AllowStreamLocalForwarding no' },
  /** Podman alone is in its PATH, where it is installed: see `podmanOnly`. */
  podmanOnly: { port: 2204, sshd: 'SetEnv PATH=%FOLDER%/podman-only' },
  /** A user that may not use the Docker socket. */
  withoutDocker: {
    port: 2203,
    sshd: 'ForceCommand HOME=/ exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "$SSH_ORIGINAL_COMMAND"',
  },
} as const;

export class OtherMachine {
  readonly folder = mkdtempSync(join(tmpdir(), 'berth-machine-'));
  readonly socket = join(this.folder, 'docker.sock');
  readonly docker = new Dockerode({ socketPath: this.socket });
  private readonly id = this.folder.slice(-6).toLowerCase();
  private readonly space = `berth-${this.id}`;
  private readonly subnet = `10.214.${1 + Math.floor(Math.random() * 250)}`;
  private readonly children: ChildProcess[] = [];

  /** Why there can't be one here; undefined when there can. */
  static async obstacle(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) {
      return 'a network name space needs root';
    }
    for (const program of programs) {
      if ((await runProgram('sh', ['-c', 'command -v "$0"', program], { env: withSbin() })).code !== 0) {
        return `${program} is not installed`;
      }
    }
    return undefined;
  }

  get address(): string {
    return `${this.subnet}.2`;
  }

  get tcpHost(): string {
    return `tcp://${this.address}:2376`;
  }

  /** The name is one of the user's ssh configuration: `sshProgram` reads it. */
  get sshHost(): string {
    return `ssh://other${this.socket}`;
  }

  /** The same by another name of the ssh configuration: one of `refusals`, `stranger`, `changed` or `keyless`. */
  sshHostAs(name: string): string {
    return `ssh://${name}${this.socket}`;
  }

  /** How often its sshd has let somebody in. */
  async logins(): Promise<number> {
    return (await readFile(join(this.folder, 'log'), 'utf8')).split('Accepted publickey').length - 1;
  }

  /** With ca.pem, cert.pem and key.pem of a client. */
  get certificates(): string {
    return join(this.folder, 'client');
  }

  /** A folder for PATH with an ssh that reads a configuration of the test in place of the user's. */
  get programs(): string {
    return join(this.folder, 'bin');
  }

  async start(): Promise<void> {
    const { space, id, subnet } = this;
    const [here, there] = [`bh${id}`, `bo${id}`];
    await succeed('ip', ['netns', 'add', space]);
    await succeed('ip', ['link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', space]);
    await succeed('ip', ['addr', 'add', `${subnet}.1/30`, 'dev', here]);
    await succeed('ip', ['link', 'set', here, 'up']);
    await this.inside('ip', ['addr', 'add', `${subnet}.2/30`, 'dev', there]);
    await this.inside('ip', ['link', 'set', there, 'up']);
    await this.inside('ip', ['link', 'set', 'lo', 'up']);
    await this.inside('ip', ['link', 'add', 'name', 'inner', 'type', 'bridge']);
    await this.inside('ip', ['addr', 'add', '10.215.0.1/24', 'dev', 'inner']);
    await this.inside('ip', ['link', 'set', 'inner', 'up']);
    await this.makeCertificates();
    await this.startSshd();
    await this.startDocker();
  }

  /** Copies images of the shared daemon. */
  async take(...images: string[]): Promise<void> {
    const file = join(this.folder, 'image.tar');
    await succeed('docker', ['save', '-o', file, ...images], { timeoutMs: 60_000 });
    await succeed('docker', ['-H', `unix://${this.socket}`, 'load', '-i', file], { timeoutMs: 60_000 });
    await succeed('rm', [file]);
  }

  /** A folder of docker's settings with a context that skips the look at the daemon's certificate. */
  async makeContext(name: string, certificates: string): Promise<string> {
    const folder = join(this.folder, 'docker-config');
    const file = (each: string): string => `${each}=${join(certificates, `${each}.pem`)}`;
    const tls = `host=${this.tcpHost},skip-tls-verify=true,${file('ca')},${file('cert')},${file('key')}`;
    await succeed('docker', ['--config', folder, 'context', 'create', name, '--docker', tls]);
    return folder;
  }

  async dispose(): Promise<void> {
    for (const child of this.children.reverse()) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
        await once(child, 'exit');
        clearTimeout(late);
      }
    }
    await runProgram('ip', ['netns', 'del', this.space]);
    await runProgram('ip', ['link', 'del', `bh${this.id}`]);
    const mounts = (await readFile('/proc/mounts', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const path of mounts.filter((mount) => mount.startsWith(this.folder)).reverse()) {
      await runProgram('umount', ['-l', path]);
    }
    await succeed('rm', ['-rf', this.folder]);
  }

  /** Without the mounts of `ip netns exec`, which hide the control groups. */
  private get netns(): string {
    return `--net=/run/netns/${this.space}`;
  }

  private inside(program: string, args: string[]): Promise<unknown> {
    return succeed('nsenter', [this.netns, program, ...args]);
  }

  private launch(program: string, args: string[]): ChildProcess {
    const log = openSync(join(this.folder, 'log'), 'a');
    const child = spawn('nsenter', [this.netns, program, ...args], {
      stdio: ['ignore', log, log],
      env: withSbin(),
    });
    closeSync(log);
    this.children.push(child);
    return child;
  }

  private async startDocker(): Promise<void> {
    const { folder } = this;
    const runtime = existsSync(wrapper)
      ? ['--add-runtime', `nosysres=${wrapper}`, '--default-runtime', 'nosysres']
      : [];
    const tls = ['--tlsverify', ...this.certificateOptions()];
    const own = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run')];
    const network = ['--bridge', 'inner', '--iptables=false', '--ip6tables=false', '--ip-masq=false'];
    const hosts = ['-H', `unix://${this.socket}`, '-H', `tcp://${this.address}:2376`];
    const pidfile = ['--pidfile', join(folder, 'pid')];
    const child = this.launch('dockerd', [...own, ...pidfile, ...hosts, ...tls, ...network, ...runtime]);
    const ping = () =>
      this.docker.ping().then(Boolean, () => (child.exitCode === null ? undefined : 'ended'));
    if ((await eventually('the Docker of the other machine answers', ping, startTimeoutMs)) === 'ended') {
      throw new Error(`dockerd ended: ${(await readFile(join(folder, 'log'), 'utf8')).slice(-2000)}`);
    }
  }

  private certificateOptions(): string[] {
    const file = (name: string): string => join(this.folder, 'tls', name);
    return [
      '--tlscacert',
      file('ca.pem'),
      '--tlscert',
      file('server.pem'),
      '--tlskey',
      file('server-key.pem'),
    ];
  }

  private async makeCertificates(): Promise<void> {
    const tls = join(this.folder, 'tls');
    mkdirSync(tls);
    mkdirSync(this.certificates);
    const openssl = (...args: string[]): Promise<unknown> => succeed('openssl', args, { cwd: tls });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await openssl(
      ...['req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca.pem'],
      ...['-subj', '/CN=test', '-days', '2'],
    );
    await openssl(
      ...['req', '-x509', ...key, '-keyout', 'another-ca-key.pem', '-out', 'another-ca.pem'],
      ...['-subj', '/CN=another', '-days', '2'],
    );
    await writeFile(join(tls, 'names'), `subjectAltName=IP:${this.address}\n`);
    const sign = async (name: string, extensions: string[]): Promise<void> => {
      const request = ['-keyout', `${name}-key.pem`, '-out', `${name}.csr`, '-subj', `/CN=${name}`];
      await openssl('req', ...key, ...request);
      const authority = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2'];
      await openssl('x509', '-req', '-in', `${name}.csr`, ...authority, '-out', `${name}.pem`, ...extensions);
    };
    await sign('server', ['-extfile', 'names']);
    await sign('client', []);
    for (const [from, to] of [
      ['ca.pem', 'ca.pem'],
      ['client.pem', 'cert.pem'],
      ['client-key.pem', 'key.pem'],
    ] as const) {
      await succeed('cp', [join(tls, from), join(this.certificates, to)]);
    }
  }

  private async startSshd(): Promise<void> {
    const path = (name: string): string => join(this.folder, name);
    for (const name of ['host-key', 'user-key', 'another-key']) {
      await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(name)]);
    }
    const matched = Object.values(refusals);
    mkdirSync('/run/sshd', { recursive: true });
    mkdirSync(this.programs);
    mkdirSync(path('podman-only'));
    const podman = await runProgram('sh', ['-c', 'command -v podman']);
    await symlink(podman.stdout.trim() || '/nowhere', path('podman-only/podman'));
    await succeed('cp', [path('user-key.pub'), path('authorized')]);
    await chmod(path('authorized'), 0o600);
    await writeFile(
      path('sshd_config'),
      [
        `Port 22\n${matched.map(({ port }) => `Port ${port}\n`).join('')}ListenAddress ${this.address}\nHostKey ${path('host-key')}\nPidFile none`,
        `AuthorizedKeysFile ${path('authorized')}\nStrictModes no\nPasswordAuthentication no`,
        'KbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin yes',
        ...matched.map(
          ({ port, sshd }) => `Match LocalPort ${port}\n  ${sshd.replace('%FOLDER%', this.folder)}`,
        ),
        '',
      ].join('\n'),
    );
    this.launch('/usr/sbin/sshd', ['-D', '-e', '-f', path('sshd_config')]);
    const hostKey = (await readFile(path('host-key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
    const anotherKey = (await readFile(path('another-key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
    await writeFile(path('known'), `other ${hostKey}\nchanged ${anotherKey}\n`);
    await writeFile(
      path('ssh_config'),
      [
        ...Object.entries(refusals).map(([name, { port }]) => `Host ${name}\n  Port ${port}`),
        `Host sharing\n  ControlPath ${path('own-%C')}`,
        'Host stranger changed\n  HostKeyAlias %n',
        `Host keyless\n  IdentityFile ${path('another-key')}`,
        `Host * !keyless\n  IdentityFile ${path('user-key')}`,
        `Host *\n  HostName ${this.address}\n  User root`,
        `  IdentitiesOnly yes\n  HostKeyAlias other\n  UserKnownHostsFile ${path('known')}`,
        '  GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n',
      ].join('\n'),
    );
    const real = await succeed('sh', ['-c', 'command -v ssh']);
    await writeFile(join(this.programs, 'ssh'), `#!/bin/sh\nexec ${real} -F ${path('ssh_config')} "$@"\n`, {
      mode: 0o755,
    });
    const ask = async () => {
      const { code } = await runProgram(join(this.programs, 'ssh'), ['-o', 'BatchMode=yes', 'other', 'true']);
      return code === 0 || undefined;
    };
    await eventually('the sshd of the other machine lets in', ask, startTimeoutMs);
  }

  /** What a machine that was set up anew looks like to an ssh that knew it. */
  async forgetHostKey(): Promise<void> {
    await writeFile(join(this.folder, 'known'), '');
  }
}

/** sshd and ip are in no ordinary user's PATH. */
function withSbin(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
}
