/** The configuration of the sshd inside (OpenSSH 9.2; sshd_config(5)). */
import { berthDirectory } from './init-script';
import { hasLineBreak, quoteForSshd, type Environment } from './session-environment';

const fixed = `Port 22
ListenAddress 0.0.0.0
HostKey ${berthDirectory}/host_key
PidFile ${berthDirectory}/sshd.pid
AuthorizedKeysFile ${berthDirectory}/authorized_keys
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers workspace
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
X11Forwarding no
AllowTcpForwarding yes
AllowStreamLocalForwarding yes
MaxStartups 100
MaxSessions 100
ClientAliveInterval 30
ClientAliveCountMax 4
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
`;

export const multilineFile = `${berthDirectory}/multiline.sh`;

/**
 * sshd reads one SetEnv only, so all variables are on one line. Those with a line break come by `multilineFile`,
 * which login shells and bash read.
 */
export function sshdConfig(env: Environment): string {
  const single = Object.entries(env).filter(([, value]) => !hasLineBreak(value));
  const hasMultiline = single.length < Object.keys(env).length;
  const all = hasMultiline && env.BASH_ENV === undefined ? [...single, ['BASH_ENV', multilineFile]] : single;
  const words = all.map(([name, value]) => quoteForSshd(`${name ?? ''}=${value ?? ''}`));
  return words.length === 0 ? fixed : `${fixed}SetEnv ${words.join(' ')}\n`;
}
