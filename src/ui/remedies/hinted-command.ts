/**
 * The command of VS Code for what a hint names as one of the command line: nobody in a window has to look for a terminal.
 * Pure, without VS Code.
 */
import type { ErrorBody } from '../../api';
import type { Remedy } from '../../api/rules/remedy';
import type { CommandId } from '../contributions/commands';

/** An error, or a warning that stays with a workspace. */
export type Hinted = Pick<ErrorBody, 'hint' | 'remedy'> & { code: string };

export interface HintedCommand {
  command: CommandId;
  /** The workspace, or volume, that the hint names. */
  workspace?: string;
}

/** Of errors that carry what to do about them; a hint may name a command that comes before it. */
const ofRemedies: Readonly<Partial<Record<Remedy, CommandId>>> = {
  start: 'berth.workspace.start',
  restart: 'berth.workspace.restart',
  create: 'berth.workspace.create',
};

/** By what follows `berth`. Nothing that deletes is here: who reads an error must not be one click away from that. */
const commands = new Map<string, CommandId>([
  ['adopt', 'berth.workspace.adopt'],
  ['commit', 'berth.workspace.commit'],
  ['create', 'berth.workspace.create'],
  ['doctor', 'berth.engine.doctor'],
  ['image build', 'berth.image.build'],
  ['image pull', 'berth.image.pull'],
  ['logs', 'berth.workspace.showLogs'],
  ['rebuild', 'berth.workspace.rebuild'],
  ['recover', 'berth.workspace.recover'],
  ['restore', 'berth.workspace.restore'],
  ['restart', 'berth.workspace.restart'],
  ['resume', 'berth.workspace.resume'],
  ['snapshot auto', 'berth.workspace.automaticSnapshots'],
  ['start', 'berth.workspace.start'],
  ['trash list', 'berth.trash.restore'],
  ['trash restore', 'berth.trash.restore'],
  ['unprotect', 'berth.workspace.unprotect'],
  ['volume create', 'berth.volume.create'],
  ['volume unprotect', 'berth.volume.unprotect'],
]);
/** What a hint may name and gets a button for, by what follows `berth`. */
export const hintedCommands: ReadonlyMap<string, CommandId> = commands;

/** Those that take the workspace, or volume, that the hint names. */
const onWorkspace = /workspace\.(?:auto|commit|re|start|unprotect)|volume\.unprotect/;
/**
 * A command of the command line in a hint, unless it is for another machine. A name counts as a whole, or not at all: a
 * part of it may be another one's. `flag` makes another command of it; it is none of those that a window asks for itself.
 */
export const hinted =
  /(?<!there with )`berth (?<verb>(?:image |volume |snapshot |trash )?[a-z]+)(?: (?<name>[a-zA-Z0-9][\w.-]*)(?=[ `]))?(?:[^`]*(?<flag> --(?!kind|name|off|take-over|yes)[a-z-]+))?[^`]*`/;

/**
 * The command, with its title and arguments; undefined where a hint names none, or none that a window has.
 */
export function hintedCommand({ code, hint, remedy }: Hinted): HintedCommand | undefined {
  const { verb, name, flag = '' } = hinted.exec(hint ?? '')?.groups ?? {};
  const command =
    commands.get(`${verb}${flag}`) ??
    (remedy !== undefined ? ofRemedies[remedy] : code === 'image_missing' ? 'berth.image.build' : undefined);
  if (command === undefined) {
    return code === 'runtime_unavailable' ? { command: 'berth.engine.doctor' } : undefined;
  }
  return name !== undefined && onWorkspace.test(command) ? { command, workspace: name } : { command };
}
