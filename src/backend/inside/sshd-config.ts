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
Subsystem sftp internal-sftp
`;

export const multilineFile = `${berthDirectory}/multiline.sh`;
/** Read by login shells after they have set a PATH of their own. */
export const loginFile = `${berthDirectory}/login.sh`;
/**
 * In place of the client's, whose locale the image may not have: each program would complain. This one is part of glibc
 * (2.35, and Debian's before) and of musl.
 */
const ofLocale: Environment = { LANG: 'C.UTF-8' };
const namesOfLocale = ['LANG', 'LC_ALL', 'LC_CTYPE'];

/**
 * sshd reads one SetEnv only, so all variables are on one line. Those with a line break come by `multilineFile`,
 * which login shells and bash read.
 */
export function sshdConfig(given: Environment): string {
  const env = namesOfLocale.some((name) => name in given) ? given : { ...ofLocale, ...given };
  const single = Object.entries(env).filter(([, value]) => !hasLineBreak(value));
  const hasMultiline = single.length < Object.keys(env).length;
  const all = hasMultiline && env.BASH_ENV === undefined ? [...single, ['BASH_ENV', multilineFile]] : single;
  const words = all.map(([name, value]) => quoteForSshd(`${name ?? ''}=${value ?? ''}`));
  return words.length === 0 ? fixed : `${fixed}SetEnv ${words.join(' ')}\n`;
}
