/** How Docker, or Podman in its place, is started on this machine: without the rights of root where that can be. */
import { join } from 'node:path';

export interface StartLine {
  /** For a shell. */
  text: string;
  /** It asks for a password: nobody but the user presses Enter then. */
  needsRoot: boolean;
}

export interface Installed {
  /** The home folder of this user. */
  home: string;
  has: (path: string) => boolean;
}

/** Units of the user's own systemd, the likeliest first. */
const userUnits = ['docker-desktop.service', 'docker.service', 'podman.socket'];
const daemons = ['/usr/bin/dockerd', '/usr/sbin/dockerd', '/usr/local/bin/dockerd'];

export function startLine(platform: NodeJS.Platform, installed: Installed): StartLine {
  switch (platform) {
    case 'darwin':
      return { text: 'open -a Docker', needsRoot: false };
    case 'win32':
      return { text: 'docker desktop start', needsRoot: false };
    default:
      return onLinux(installed);
  }
}

function onLinux({ home, has }: Installed): StartLine {
  const folders = [join(home, '.config/systemd/user'), '/etc/systemd/user', '/usr/lib/systemd/user'];
  const unit = userUnits.find((each) => folders.some((folder) => has(join(folder, each))));
  // Podman brings its unit wherever it is installed: it is meant only where there is no Docker.
  const isMeant = unit !== undefined && (unit !== 'podman.socket' || !daemons.some(has));
  return isMeant
    ? { text: `systemctl --user start ${unit.replace('.service', '')}`, needsRoot: false }
    : { text: 'sudo systemctl start docker', needsRoot: true };
}
