/**
 * What the doctor looks at, by the name of the check: the titles that it answers. Clients that speak another language translate by the
 * name.
 */
export const checkTitles = {
  'runtime.container': 'Containers',
  'runtime.microvm': 'MicroVMs',
  image: 'Default image',
  ssh: 'OpenSSH client',
  'ssh.config': 'SSH config',
  space: 'Disk space',
  ports: 'SSH ports',
  records: 'Records',
  'protected-volumes': 'Protected volumes',
  orphans: 'Leftovers',
} as const;
export type CheckName = keyof typeof checkTitles;

/** Of a check of that name. */
export function checkTitle<N extends CheckName>(name: N): { name: N; title: (typeof checkTitles)[N] } {
  return { name, title: checkTitles[name] };
}
