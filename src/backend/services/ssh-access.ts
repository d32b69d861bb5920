/** The user's own ssh config: whether it includes ours, and the one line that makes it so. */
import { isAbsolute } from 'node:path';
import { BerthError } from '../../api/errors';
import type { SshConfigStatus } from '../../api/schemas/engine';
import { addInclude, defaultUserConfig, isIncluded } from '../ssh/include';
import type { StateDirectory } from '../store/state-directory';

export class SshAccess {
  constructor(private readonly state: StateDirectory) {}

  async status(userConfig = defaultUserConfig()): Promise<SshConfigStatus> {
    const configFile = this.state.sshConfig;
    return { included: await isIncluded(userConfig, configFile), userConfig, configFile };
  }

  async include(userConfig = defaultUserConfig()): Promise<SshConfigStatus> {
    if (!isAbsolute(userConfig)) {
      throw new BerthError('bad_request', `The path of the SSH config is not absolute: ${userConfig}`, {
        field: 'userConfig',
      });
    }
    await addInclude(userConfig, this.state.sshConfig);
    return this.status(userConfig);
  }
}
