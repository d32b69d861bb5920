/** The command that starts the Docker daemon in a workspace, and what its exit codes mean. */
import { BerthError } from '../../api/errors';
import { berthDirectory, shell, toolsDirectory } from './init-script';

const readyTimeoutMs = 30_000;
const noDaemon = 64;
const notPrivileged = 65;

/** Keeps dockerd running, in a session of its own; its log is in the container's file system. */
const keep = `
while :; do
  rm -f /var/run/docker.pid
  dockerd "$@" >>/var/log/berth-dockerd.log 2>&1
  sleep 3
done
`;

/** Exit codes 64 and 65 are ours; the loop asks the socket, as nothing tells when the daemon is ready. */
const start = `
export PATH="\${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}"
command -v dockerd >/dev/null || exit ${noDaemon}
capabilities=$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)
# Bit 21 is CAP_SYS_ADMIN, 24 is CAP_SYS_RESOURCE.
[ $((0x$capabilities >> 21 & 1)) = 1 ] || exit ${notPrivileged}
set --
[ $((0x$capabilities >> 24 & 1)) = 1 ] ||
  set -- --add-runtime nosysres=${toolsDirectory}/libexec/runc-nosysres --default-runtime nosysres
mtu=$(cat /sys/class/net/eth0/mtu 2>/dev/null || echo 1500)
[ "$mtu" -ge 1500 ] || set -- "$@" --mtu "$mtu"
mkdir -p /var/log
if ! grep -q '^docker:' /etc/group; then echo 'docker:x:996:workspace' >>/etc/group; fi
sed -i '/^docker:/{/[:,]workspace\\(,\\|$\\)/!{s/:$/:workspace/;t;s/$/,workspace/}}' /etc/group
if mkdir ${berthDirectory}/dockerd 2>/dev/null; then
  setsid ${shell} -c '${keep}' berth-dockerd "$@" </dev/null >/dev/null 2>&1 &
fi
exec ${toolsDirectory}/bin/python3 -I -S -c '
import socket, sys, time
deadline = time.monotonic() + ${readyTimeoutMs / 1000}
while time.monotonic() < deadline:
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(2)
            s.connect("/var/run/docker.sock")
            s.sendall(b"GET /_ping HTTP/1.0\\r\\n\\r\\n")
            if b" 200 " in s.recv(64):
                sys.exit(0)
    except OSError:
        pass
    time.sleep(0.05)
with open("/var/log/berth-dockerd.log", errors="replace") as log:
    print(log.read()[-1500:])
sys.exit(1)
'
`;

/** Run as root inside; ends when the daemon answers. */
export const startDockerCommand: readonly string[] = [shell, '-c', start, 'berth-start-docker'];
export const startDockerTimeoutMs = readyTimeoutMs + 10_000;

/** Throws `not_supported` without a daemon in the image, and `timeout` for one that did not answer. */
export function throwIfDockerFailed(name: string, exitCode: number, output: string): void {
  if (exitCode === 0) {
    return;
  }
  if (exitCode === noDaemon) {
    throw new BerthError('not_supported', `The image of ${name} has no Docker daemon (dockerd).`, {
      hint: 'Use workspace:latest, or install docker.io in your image.',
      field: 'docker',
    });
  }
  if (exitCode === notPrivileged) {
    throw new BerthError('not_supported', `${name} is not privileged: Docker can't run inside.`, {
      hint: 'Rebuild the workspace with Docker inside.',
      field: 'docker',
    });
  }
  throw new BerthError(
    'timeout',
    `Timed out after ${readyTimeoutMs / 1000} s waiting for the Docker daemon in ${name}. Last seen: ${output}`,
    { hint: 'Its log is /var/log/berth-dockerd.log in the workspace.' },
  );
}
