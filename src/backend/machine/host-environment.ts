/** What a search for sockets, programs and logins depends on: given by the process, or by a test. */
import { homedir } from 'node:os';

export interface HostEnvironment {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  platform: NodeJS.Platform;
  uid: number;
}

/** That of this process. */
export function hostEnvironment(): HostEnvironment {
  return {
    env: process.env,
    home: homedir(),
    platform: process.platform,
    uid: process.getuid?.() ?? 0,
  };
}
