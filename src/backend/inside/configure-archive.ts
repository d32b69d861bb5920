/** What `configure` sends into a runtime: one tar, read by its script. */
import { BerthError } from '../../api/errors';
import type { InjectedFile, StartPlan } from './start-plan';
import { homeAlias, homeFolder, workspaceUser } from './places';
import {
  execEnvironment,
  loginEnvironment,
  multilineEnvironment,
  plainEnvironment,
  plainOf,
  sessionEnvironment,
  type Environment,
} from './session-environment';
import { credentialTarget, shortened } from './target';
import { sshdConfig } from './sshd-config';
import { archiveOf, type Member } from '../tar/archive';

export interface ConfigureInput {
  plan: StartPlan;
  /** The variables that the container was built with: the image's and the spec's. */
  built: Environment;
  /** Where named volumes are mounted that can be written to: a new one is made the user's. */
  mounts?: readonly string[];
  /** The home was made with the container: what is in it came from the image. */
  isNewHome?: boolean;
}

/** A tar of keys, configuration, environment and files. */
export async function configureArchive({
  plan,
  built,
  mounts = [],
  isNewHome = false,
}: ConfigureInput): Promise<Buffer> {
  const env = sessionEnvironment(built, plan.env);
  const { home, root, directories, homeDirectories } = sortFiles(plan.files);
  const members: Member[] = [
    { name: 'host_key', mode: 0o600, content: ensureNewline(plan.hostKey) },
    { name: 'authorized_keys', mode: 0o644, content: plan.authorizedKeys.map(ensureNewline).join('') },
    { name: 'sshd_config', mode: 0o600, content: sshdConfig(env) },
    { name: 'env', mode: 0o400, content: execEnvironment(env), uid: workspaceUser },
    {
      name: 'env-plain',
      mode: 0o444,
      content: execEnvironment(sessionEnvironment(built, plainOf(built, plan.env))),
    },
    { name: 'environment', mode: 0o644, content: plainEnvironment(built, plan.env) },
    { name: 'login.sh', mode: 0o400, content: loginEnvironment(env), uid: workspaceUser },
    { name: 'multiline.sh', mode: 0o400, content: multilineEnvironment(env), uid: workspaceUser },
    { name: 'mounts', mode: 0o600, content: lines(mounts.filter((path) => !path.includes('\n'))) },
    { name: 'directories', mode: 0o600, content: lines(directories) },
    { name: 'home-directories', mode: 0o600, content: lines(homeDirectories) },
  ];
  if (isNewHome) {
    members.push({ name: 'new-home', mode: 0o600, content: '' });
  }
  if (root.length > 0) {
    members.push({ name: 'root.tar', mode: 0o600, content: await archiveOf(root) });
  }
  if (home.length > 0) {
    members.push({ name: 'home.tar', mode: 0o600, content: await archiveOf(home) });
  }
  return archiveOf(members);
}

function ensureNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function lines(paths: Iterable<string>): string {
  return [...paths].map((path) => `${path}\n`).join('');
}

interface Sorted {
  home: Member[];
  root: Member[];
  /** Folders that they need, outermost first; those of the home relative to it. */
  directories: Set<string>;
  homeDirectories: Set<string>;
}

/** Splits files into those of the home, relative to it, and the others. */
function sortFiles(files: readonly InjectedFile[]): Sorted {
  const home: Member[] = [];
  const root: Member[] = [];
  const directories = new Set<string>();
  const homeDirectories = new Set<string>();
  for (const { target, mode, content } of files) {
    const path = checkedTarget(target);
    const inHome = relativeToHome(path);
    if (inHome === undefined) {
      root.push({ name: path.slice(1), mode, content, uid: workspaceUser });
      parentsOf(path).forEach((parent) => directories.add(parent));
    } else {
      home.push({ name: inHome, mode, content, uid: workspaceUser });
      parentsOf(inHome).forEach((parent) => homeDirectories.add(parent));
    }
  }
  return { home, root, directories, homeDirectories };
}

/** What a user gave is absolute by now, and the path of the file itself. */
function checkedTarget(target: string): string {
  if (!target.startsWith('/') || target.endsWith('/')) {
    throw new BerthError('bad_request', `${shortened(target)} is not the path of a file in the workspace.`);
  }
  return credentialTarget(target);
}

function relativeToHome(path: string): string | undefined {
  const root = [homeFolder, homeAlias].find((directory) => path.startsWith(`${directory}/`));
  return root === undefined ? undefined : path.slice(root.length + 1);
}

/** `/a/b/c` → `/a`, `/a/b`; `a/b` → `a`: outermost first. */
function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/')).filter((parent) => parent !== '');
}
