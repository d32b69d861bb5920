import type { RuntimeKind } from '../../../api/rules/runtimes';
import { Option, type Command } from 'commander';
import {
  BerthError,
  type IdlePolicy,
  type NetworkMode,
  type Problem,
  type PublishedPort,
  type WorkspaceCreate,
} from '../../../api';
import { checkCloneAddress } from '../../../api/rules/clone-address';
import type { Cli } from '../../cli';
import { indentedLines, inOneLine } from '../../format/text';
import { examples } from '../../help';
import { follow } from '../../operation';
import {
  collect,
  collectEnv,
  collectPorts,
  collectTags,
  networkHelp,
  parseSize,
  parseMinutes,
  parseNetwork,
  parseNumber,
  parseRuntime,
  parseWhole,
} from '../../parse/options';
import { absoluteImage, absoluteMount, localPath, parseCredential } from '../../parse/sources';
import { checkWorkspaceName } from '../../parse/workspace-name';
import { readSecrets } from '../../secrets';
import { toLimits, type LimitOptions } from './change';

/** Where OpenSSH for Windows has its agent. */
const windowsAgent = '\\\\.\\pipe\\openssh-ssh-agent';

export interface CreateOptions extends LimitOptions {
  image?: string;
  clone?: string;
  branch?: string;
  depth?: number;
  forwardAgent?: boolean;
  env?: Record<string, string>;
  docker?: boolean;
  volume?: string[];
  publish?: PublishedPort[];
  runtime?: RuntimeKind;
  engine?: RuntimeKind;
  target?: string;
  label?: string;
  tag?: string[];
  protect?: boolean;
  secret?: string[];
  credential?: string[];
  postStart?: string[];
  failOnError?: boolean;
  idlePause?: number;
  idleStop?: number;
  idleArchive?: number;
  network?: NetworkMode;
  start: boolean;
}

/** `berth create`. */
export function registerCreate(program: Command, cli: Cli): void {
  const command = program
    .command('create')
    .description('create a workspace and start it')
    .argument('<name>', 'lowercase letters, digits and hyphens')
    .option('--image <image>', 'an OCI image (default: workspace:latest); see below for those of microVMs')
    .option('--clone <url>', 'clone a git repository into /home/workspace/repo')
    .option('--branch <name>', 'the branch or tag to clone')
    .option('--depth <n>', 'clone only this many commits of history', parseWhole)
    .option('-A, --forward-agent', 'forward your SSH agent while the repository is cloned, and no longer')
    .option(
      '--env <K=V>',
      'set a variable; K alone takes the value of your environment (repeatable)',
      collectEnv,
    )
    .option('--docker', 'run a Docker daemon inside; makes a container privileged')
    .option('--cpus <n>', 'CPUs, e.g. 1.5', parseNumber)
    .option('--memory <size>', 'memory: 512m, 2g, or MiB', parseSize)
    .option('--pids <n>', 'processes', parseWhole)
    .option('--shm <size>', 'shared memory: 64m, 1g, or MiB', parseSize)
    .option(
      '-v, --volume <SRC:DST[:ro|rw]>',
      'a volume, .ext4/.img disk or .tar bundle (repeatable)',
      collect,
    )
    .option(
      '-p, --publish <[HOST:]PORT>',
      'reach a port inside on 127.0.0.1 of this machine (repeatable)',
      collectPorts,
    )
    .option('--runtime <kind>', 'container or microvm', parseRuntime)
    .addOption(new Option('--engine <kind>', 'the same as --runtime').argParser(parseRuntime).hideHelp())
    .option('--target <machine>', 'only on this machine (`local`), or only on the named one of your Docker')
    .option('--label <text>', 'a name for people')
    .option('--tag <tag>', 'a word to find it by: `berth list --tag` (repeatable)', collectTags)
    .option('--protect', 'refuse to delete, rebuild or archive it until `berth unprotect`')
    .option('--secret <K>', 'a secret variable, read from the environment or stdin (repeatable)', collect)
    .option('--credential <SRC[:DST]>', 'a file put into its home on every start (repeatable)', collect)
    .option('--post-start <path>', 'a script, or a folder of *.sh, run on every start (repeatable)', collect)
    .option('--fail-on-error', 'a failing post-start script fails the start')
    .option('--idle-pause <time>', 'pause after this long with no client attached: 30m, 2h', parseMinutes)
    .option('--idle-stop <time>', 'stop after this long with no client attached', parseMinutes)
    .option('--idle-archive <time>', 'archive after this long with no client attached', parseMinutes)
    .option('--network <mode>', networkHelp, parseNetwork)
    .option('--no-start', 'leave it stopped')
    .action((name: string, options: CreateOptions) => create(cli, name, options));
  examples(
    command,
    ['berth create demo', ''],
    ['berth create api --clone https://github.com/me/api.git --cpus 2 --memory 4g', ''],
    ['berth create web --publish 8080', '`berth port list web` says where'],
    ['berth create ci --docker -v cache:/cache -v bundle.tar:/input:ro', ''],
    ['TOKEN=… berth create bot --secret TOKEN', 'the value is never an argument'],
  );
  command.addHelpText(
    'after',
    '\nImages of microVMs: a name (of the container engine, committed here, or in a registry), oci:DIR|TAR[:NAME]' +
      '\n(an OCI image layout), docker-archive:TAR[:NAME] (`docker save`), or the path of a file with ext4 in it.',
  );
}

async function create(cli: Cli, name: string, options: CreateOptions): Promise<void> {
  checkWorkspaceName(name);
  const body = toRequest(name, options, cli.cwd, await readSecrets(cli, options.secret ?? []));
  const client = await cli.engine();
  const { warnings } = await follow(cli, client, await client.call('workspaces.create', { body }));
  const workspace = await client.call('workspaces.get', { params: { name } });
  const lost = workspace.warnings.filter(({ code }) => lostWithout.includes(code));
  const others = workspace.warnings.filter((warning) => !lost.includes(warning));
  if (lost.length > 0) {
    cli.exitCode = 1;
  }
  cli.result(workspace, () =>
    [
      `${name} is ${workspace.state}.`,
      ...others.flatMap((warning) => warningLines(warning, warnings)),
      ...(workspace.state === 'running' ? [`Open it: berth open ${name}    Log in: berth ssh ${name}`] : []),
      // Last, though it was said while it happened: a script that goes on would miss the files.
      ...lost.flatMap((warning) => warningLines(warning, [])),
    ].join('\n'),
  );
}

/**
 * Codes of warnings by which the workspace lacks what was asked for: it is kept, as it can be used, and the exit code
 * is 1. A script that may fail (without --fail-on-error) is not among them: that is what its user has chosen.
 */
const lostWithout: readonly string[] = ['clone', 'credentials'];

function warningLines({ message, hint }: Problem, warnings: readonly string[]): string[] {
  return [
    ...(warnings.includes(message) ? [] : indentedLines(`warning: ${message}`)),
    ...(hint === undefined ? [] : [`hint: ${inOneLine(hint)}`]),
  ];
}

/** The request of the API for what was typed; only what was given is in it. */
export function toRequest(
  name: string,
  options: CreateOptions,
  cwd: string,
  secrets: Record<string, string>,
): WorkspaceCreate {
  const limits = toLimits(options);
  const runtime = options.runtime ?? options.engine;
  const idle = toIdle(options);
  if (options.clone !== undefined) {
    checkCloneAddress(options.clone);
  }
  const agentSocket = options.forwardAgent === true ? ownAgent(process.env, cwd) : undefined;
  return {
    name,
    ...(options.label !== undefined && { label: options.label }),
    ...(options.tag !== undefined && { tags: options.tag }),
    ...(options.protect === true && { protected: true }),
    ...(runtime !== undefined && { runtime }),
    ...(options.target !== undefined && { target: options.target }),
    ...(options.image !== undefined && { image: absoluteImage(options.image, cwd) }),
    ...(options.clone !== undefined && { cloneUrl: options.clone }),
    ...(options.branch !== undefined && { cloneBranch: options.branch }),
    ...(options.depth !== undefined && { cloneDepth: options.depth }),
    ...(agentSocket !== undefined && { agentSocket }),
    ...(options.env !== undefined && { env: options.env }),
    ...(options.docker === true && { docker: true }),
    ...(limits !== undefined && { limits }),
    ...(options.volume !== undefined && {
      volumes: options.volume.map((volume) => absoluteMount(volume, cwd)),
    }),
    ...(options.publish !== undefined && { ports: options.publish }),
    ...(options.credential !== undefined && {
      credentialFiles: options.credential.map((file) => parseCredential(file, cwd)),
    }),
    ...(Object.keys(secrets).length > 0 && { secrets }),
    ...(options.postStart !== undefined && {
      postStart: {
        scripts: options.postStart.map((script) => localPath(script, cwd)),
        ...(options.failOnError === true && { failOnError: true }),
      },
    }),
    ...(idle !== undefined && { idle }),
    ...(options.network !== undefined && { network: options.network }),
    ...(!options.start && { start: false }),
  };
}

/** The socket of the SSH agent that this terminal has. Throws `bad_request` where there is none. */
export function ownAgent({ SSH_AUTH_SOCK: socket }: NodeJS.ProcessEnv, cwd: string): string {
  if (socket !== undefined && socket !== '') {
    return localPath(socket, cwd);
  }
  if (process.platform === 'win32') {
    return windowsAgent;
  }
  throw new BerthError('bad_request', 'There is no SSH agent here: SSH_AUTH_SOCK is not set.', {
    hint: 'Start one and add your key: `eval "$(ssh-agent)"; ssh-add`.',
  });
}

function toIdle(options: CreateOptions): IdlePolicy | undefined {
  const idle: IdlePolicy = {
    ...(options.idlePause !== undefined && { pauseAfter: options.idlePause }),
    ...(options.idleStop !== undefined && { stopAfter: options.idleStop }),
    ...(options.idleArchive !== undefined && { archiveAfter: options.idleArchive }),
  };
  return Object.keys(idle).length === 0 ? undefined : idle;
}
