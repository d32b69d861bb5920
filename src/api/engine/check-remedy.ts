/**
 * What can be done about what a check of this machine found, as data: clients make a button of each. What to read is in the
 * hint of the check.
 */
export const checkRemedies = [
  'start-container-engine',
  'choose-container-engine',
  'install-container-engine',
  /** The user may not use its socket. */
  'join-docker-group',
  'install-qemu',
  /** The user may not open `/dev/kvm`. */
  'join-kvm-group',
  'prepare-guest-kit',
  'build-image',
  'choose-image',
  'install-ssh-client',
  'include-ssh-config',
  'open-ssh-config',
  'widen-port-range',
  'adopt',
] as const;
export type CheckRemedy = (typeof checkRemedies)[number];
