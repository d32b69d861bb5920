import type { Command } from 'commander';
import { BerthError, type IdlePolicy, type Workspace, type WorkspacePatch } from '../../../api';
import { isAtRest } from '../../../api/rules/lifecycle';
import type { Cli } from '../../cli';
import { printable } from '../../format/text';
import { examples } from '../../help';
import { collect, collectEnv, parseMinutes } from '../../parse/options';
import { localPath, parseCredential } from '../../parse/sources';
import { readSecrets } from '../../secrets';

export interface SetOptions {
  label?: string;
  env?: Record<string, string>;
  unsetEnv?: string[];
  secret?: string[];
  unsetSecret?: string[];
  credential?: string[];
  unsetCredential?: string[];
  postStart?: string[];
  unsetPostStart?: string[];
  failOnError?: boolean;
  idlePause?: number;
  idleStop?: number;
  idleArchive?: number;
}

/** `set`: what `create` was given, changed later. */
export function registerSet(program: Command, cli: Cli): void {
  examples(
    program
      .command('set')
      .description(
        'change what a workspace was created with; variables and files take effect with its next start',
      )
      .argument('<name>')
      .option('--label <text>', 'its name for people')
      .option(
        '--env <K=V>',
        'set a variable; K alone takes the value of your environment (repeatable)',
        collectEnv,
      )
      .option('--unset-env <K>', 'take a variable away (repeatable)', collect)
      .option(
        '--secret <K>',
        'set a secret variable, read from the environment or stdin (repeatable)',
        collect,
      )
      .option('--unset-secret <K>', 'take a secret variable away (repeatable)', collect)
      .option('--credential <SRC[:DST]>', 'put a file into its home on every start (repeatable)', collect)
      .option('--unset-credential <SRC|DST>', 'stop putting that file in (repeatable)', collect)
      .option(
        '--post-start <path>',
        'run a script, or a folder of *.sh, on every start (repeatable)',
        collect,
      )
      .option('--unset-post-start <path>', 'stop running that script or folder (repeatable)', collect)
      .option('--fail-on-error', 'a failing post-start script fails the start')
      .option('--no-fail-on-error', 'a failing post-start script is a warning')
      .option(
        '--idle-pause <time>',
        'pause after this long with no client attached: 30m, 2h; 0 means never',
        parseMinutes,
      )
      .option('--idle-stop <time>', 'stop after this long with no client attached', parseMinutes)
      .option('--idle-archive <time>', 'archive after this long with no client attached', parseMinutes)
      .action((name: string, options: SetOptions) => set(cli, name, options)),
    ['berth set demo --idle-stop 2h', ''],
    ['berth set demo --env EDITOR=vim --unset-env DEBUG', ''],
    ['TOKEN=… berth set demo --secret TOKEN', 'the value is never an argument'],
  );
}

async function set(cli: Cli, name: string, options: SetOptions): Promise<void> {
  if (Object.keys(options).length === 0) {
    throw new BerthError('bad_request', 'There is nothing to change.', {
      hint: '`berth set --help` shows what can be. Limits: `berth limits`. Ports: `berth port add`.',
    });
  }
  const client = await cli.engine();
  const workspace = await client.call('workspaces.get', { params: { name }, signal: cli.signal });
  const patch = toPatch(workspace, options, cli.cwd);
  const values = await readSecrets(cli, options.secret ?? []);
  const body = {
    ...patch,
    ...((options.secret ?? patch.secrets) !== undefined && { secrets: { ...patch.secrets, ...values } }),
  };
  const changed = await client.call('workspaces.update', { params: { name }, body });
  cli.result(changed, () =>
    needsStart(options) && !isAtRest(workspace.state)
      ? `${printable(name)} is changed. It takes effect with \`berth restart ${name}\`.`
      : `${printable(name)} is changed.`,
  );
}

function needsStart({ label, idlePause, idleStop, idleArchive, ...rest }: SetOptions): boolean {
  return Object.keys(rest).length > 0;
}

/** The API merges variables, and replaces lists as a whole: what was there before is in the change, too. */
export function toPatch({ spec }: Workspace, options: SetOptions, cwd: string): WorkspacePatch {
  const { label, env, unsetEnv, unsetSecret } = options;
  return {
    ...(label !== undefined && { label }),
    ...((env ?? unsetEnv) !== undefined && {
      env: { ...without(Object.keys(spec.env ?? {}), unsetEnv ?? [], 'variable'), ...env },
    }),
    ...(unsetSecret !== undefined && { secrets: without(spec.secretNames ?? [], unsetSecret, 'secret') }),
    ...credentialsOf(spec, options, cwd),
    ...postStartOf(spec, options, cwd),
    ...idleOf(spec.idle, options),
  };
}

/** As the API takes them away: null for each. */
function without(known: readonly string[], names: readonly string[], what: string): Record<string, null> {
  names.forEach((name) => refuseUnknown(known.includes(name), `the ${what} ${name}`));
  return Object.fromEntries(names.map((name) => [name, null]));
}

/** What was misspelled would stay, and nobody would know. */
function refuseUnknown(isKnown: boolean, what: string): void {
  if (!isKnown) {
    throw new BerthError('not_found', `The workspace does not have ${printable(what)}.`, {
      hint: '`berth info` with its name and --json shows what it has.',
    });
  }
}

function credentialsOf(
  { credentialFiles = [] }: Workspace['spec'],
  { credential, unsetCredential = [] }: SetOptions,
  cwd: string,
): Pick<WorkspacePatch, 'credentialFiles'> {
  if (credential === undefined && unsetCredential.length === 0) {
    return {};
  }
  const isNamed = (text: string, file: { source: string; target: string }): boolean =>
    [text, localPath(text, cwd)].includes(file.source) || text === file.target;
  unsetCredential.forEach((text) =>
    refuseUnknown(
      credentialFiles.some((file) => isNamed(text, file)),
      `the file ${text}`,
    ),
  );
  const added = (credential ?? []).map((text) => parseCredential(text, cwd));
  const kept = credentialFiles.filter(
    (file) =>
      !unsetCredential.some((text) => isNamed(text, file)) &&
      !added.some(({ target }) => target === file.target),
  );
  return { credentialFiles: [...kept, ...added] };
}

function postStartOf(
  { postStart }: Workspace['spec'],
  { postStart: added, unsetPostStart = [], failOnError }: SetOptions,
  cwd: string,
): Pick<WorkspacePatch, 'postStart'> {
  if (added === undefined && unsetPostStart.length === 0 && failOnError === undefined) {
    return {};
  }
  const before = postStart?.scripts ?? [];
  const gone = unsetPostStart.map((path) => localPath(path, cwd));
  gone.forEach((path) => refuseUnknown(before.includes(path), `the script ${path}`));
  const scripts = [
    ...before.filter((path) => !gone.includes(path)),
    ...(added ?? []).map((path) => localPath(path, cwd)),
  ];
  const fails = failOnError ?? postStart?.failOnError;
  return {
    postStart: { scripts: [...new Set(scripts)], ...(fails !== undefined && { failOnError: fails }) },
  };
}

function idleOf(
  before: IdlePolicy = {},
  { idlePause, idleStop, idleArchive }: SetOptions,
): Pick<WorkspacePatch, 'idle'> {
  const changed = {
    ...(idlePause !== undefined && { pauseAfter: idlePause }),
    ...(idleStop !== undefined && { stopAfter: idleStop }),
    ...(idleArchive !== undefined && { archiveAfter: idleArchive }),
  };
  return Object.keys(changed).length === 0 ? {} : { idle: { ...before, ...changed } };
}
