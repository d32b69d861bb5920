/** git for the clone of a repository: images such as `debian:12` have none. */
import type { PlannedStep } from '../../operations/operation-context';

export const gitStep: PlannedStep = { name: 'git', title: 'Install git' };

/** Fails where there is none. */
export const findGit = ['/bin/sh', '-c', 'command -v git'];

/** As root; by the package manager of the image, with what clones by https and ssh need. */
export const installGit = [
  '/bin/sh',
  '-c',
  [
    'if command -v apt-get >/dev/null; then',
    '  export DEBIAN_FRONTEND=noninteractive',
    '  apt-get update -qq && apt-get install -qq -y --no-install-recommends git ca-certificates openssh-client',
    'elif command -v apk >/dev/null; then',
    '  apk add -q --no-cache git ca-certificates openssh-client',
    'elif command -v dnf >/dev/null; then',
    '  dnf install -q -y git openssh-clients',
    'else',
    '  echo "none of apt-get, apk and dnf is there." >&2; exit 1',
    'fi',
  ].join('\n'),
];
