/** The user's own ssh config: whether it includes ours and ssh takes it, and the one line that makes it so. */
import { isAbsolute } from 'node:path';
import { BerthError } from '../../../api/errors';
import type { SshConfigStatus } from '../../../api/engine/schemas';
import { probeOf } from '../../ssh/config';
import { addInclude, defaultUserConfig, isIncluded } from '../../ssh/include';
import { notTaken, unreadable } from '../../ssh/proof';
import type { StateDirectory } from '../../store/state-directory';

export class SshAccess {
  constructor(private readonly state: StateDirectory) {}

  async status(userConfig = defaultUserConfig()): Promise<SshConfigStatus> {
    requireAbsolute(userConfig);
    const configFile = this.state.sshConfig;
    if (!(await isIncluded(userConfig, configFile))) {
      return { included: false, userConfig, configFile };
    }
    const problem = await notTaken(userConfig, configFile, this.probe);
    return {
      included: problem === undefined,
      userConfig,
      configFile,
      ...(problem !== undefined && { problem }),
    };
  }

  /**
   * Nothing of the user's is touched while ssh could not read what would be included. Throws `internal` with the words
   * of ssh.
   */
  async include(userConfig = defaultUserConfig()): Promise<SshConfigStatus> {
    requireAbsolute(userConfig);
    const failure = await unreadable(this.state.sshConfig, this.probe);
    if (failure !== undefined) {
      throw new BerthError('internal', `ssh can't read Berth's configuration: ${failure}`, {
        hint: `${userConfig} was not changed. Please report this, with the first lines of ${this.state.sshConfig}.`,
      });
    }
    await addInclude(userConfig, this.state.sshConfig);
    return this.status(userConfig);
  }

  private get probe(): string {
    return probeOf(this.state.clientKey);
  }
}

/** The engine runs in a folder of its own: what another program says of a path is not resolved here. */
function requireAbsolute(userConfig: string): void {
  if (!isAbsolute(userConfig)) {
    throw new BerthError('bad_request', `The path of the SSH config is not absolute: ${userConfig}`, {
      field: 'userConfig',
    });
  }
}
