/**
 * What our hosts need to be reached, whatever a user has for all hosts (`Host *`): ssh takes the first value that it finds,
 * and our file comes first. Not set is what is a matter of taste, or adds to ours without taking it away: the test of
 * this file names each keyword of ssh_config(5) and why.
 */
import type { SshVersion } from './client-version';

interface SshOption {
  keyword: string;
  value: string;
  /** The first OpenSSH that knows it: an older one would refuse to read any further, for all hosts. */
  since?: SshVersion;
}

/** All without `since` are known to OpenSSH 7.3, the first with `Include`. */
export const fixedOptions: readonly SshOption[] = [
  // Where it leads: to this machine, directly, on a connection of its own.
  { keyword: 'AddressFamily', value: 'inet' },
  { keyword: 'BindAddress', value: '127.0.0.1' },
  { keyword: 'CanonicalizeHostname', value: 'no' },
  { keyword: 'ProxyJump', value: 'none' },
  { keyword: 'ProxyUseFdpass', value: 'no' },
  { keyword: 'ControlMaster', value: 'no' },
  { keyword: 'ControlPath', value: 'none' },
  // The wait for the server's first words counts too: one that stands still never says any.
  { keyword: 'ConnectTimeout', value: '20' },
  { keyword: 'ConnectionAttempts', value: '1' },
  // Who it is.
  { keyword: 'HostKeyAlgorithms', value: 'ssh-ed25519' },
  { keyword: 'StrictHostKeyChecking', value: 'yes' },
  { keyword: 'NoHostAuthenticationForLocalhost', value: 'no' },
  { keyword: 'VerifyHostKeyDNS', value: 'no' },
  { keyword: 'RevokedHostKeys', value: 'none' },
  { keyword: 'UpdateHostKeys', value: 'no' },
  { keyword: 'KnownHostsCommand', value: 'none', since: [8, 5] },
  // Who the user is. The older name of PubkeyAcceptedAlgorithms, which all know.
  { keyword: 'IdentitiesOnly', value: 'yes' },
  { keyword: 'PreferredAuthentications', value: 'publickey' },
  { keyword: 'PubkeyAuthentication', value: 'yes' },
  { keyword: 'PubkeyAcceptedKeyTypes', value: 'ssh-ed25519' },
  { keyword: 'AddKeysToAgent', value: 'no' },
  { keyword: 'ForwardAgent', value: 'no' },
  // All that the client was built with: with one added that it has anyway.
  { keyword: 'Ciphers', value: '+aes256-ctr' },
  { keyword: 'MACs', value: '+hmac-sha2-256' },
  { keyword: 'KexAlgorithms', value: '+ecdh-sha2-nistp256' },
  // What runs there, and what comes along.
  { keyword: 'RequestTTY', value: 'auto' },
  { keyword: 'RemoteCommand', value: 'none', since: [7, 6] },
  { keyword: 'SessionType', value: 'default', since: [8, 7] },
  { keyword: 'StdinNull', value: 'no', since: [8, 7] },
  { keyword: 'ForkAfterAuthentication', value: 'no', since: [8, 7] },
  { keyword: 'ClearAllForwardings', value: 'no' },
  { keyword: 'ExitOnForwardFailure', value: 'no' },
  { keyword: 'ForwardX11', value: 'no' },
  { keyword: 'Tunnel', value: 'no' },
];

/** Those that every OpenSSH from `oldest` on can read. */
export function optionsFor(oldest: SshVersion): readonly SshOption[] {
  return fixedOptions.filter(({ since = oldest }) => since[0] < oldest[0] || isWithin(since, oldest));
}

function isWithin(since: SshVersion, oldest: SshVersion): boolean {
  return since[0] === oldest[0] && since[1] <= oldest[1];
}
