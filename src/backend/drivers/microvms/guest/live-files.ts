/**
 * The files of disks that running machines have: two systems must not write to one disk, so the machine itself is
 * asked, by the same agent that serves other volumes, run inside as root on the folder where the disk is mounted.
 */
import { AgentFiles } from '../../../files/agent/agent-files';
import { InsideAgent, type AgentProcess } from '../../../files/agent/inside-agent';
import type { VolumeFiles } from '../../../files/volume-files';
import { quotedCommand } from './exec';
import type { Machine } from '../machines/machine';

export interface LivePlace {
  volume: string;
  /** Where the disk is mounted inside. */
  target: string;
  /** The machine that has it; throws when it does not run. */
  machine: () => Promise<Machine>;
  agentDirectory: string;
}

/** The files of one disk, through the guest that has it mounted. */
export function liveFiles({ machine, ...place }: LivePlace): VolumeFiles {
  let asked: Machine | undefined;
  const run = async (argv: string[]): Promise<AgentProcess> => {
    asked = await machine();
    const { channel } = await asked.ssh.run(quotedCommand(argv), {});
    return { stdin: channel, stdout: channel, stderr: channel.stderr, destroy: () => void channel.destroy() };
  };
  const check = async (): Promise<void> => {
    if (asked?.isHalted === true) {
      // Throws why: what is asked of a guest that stands still has no end.
      await machine();
    }
  };
  return new AgentFiles(new InsideAgent({ ...place, run, check }));
}
