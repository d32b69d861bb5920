/** What the engine's checks found and advise, in the language of the window. */
import * as vscode from 'vscode';
import { localSize } from '../../../ui/sizes';
import { engineSentence } from '../../../ui/operations/engine-sentences';

const { t } = vscode.l10n;

/** What a sentence is in the language of the window, with what is filled in. */
type Sentence = readonly [pattern: RegExp, translated: (...parts: string[]) => string];

/** The first of these that it is; undefined where none is. */
function translatedBy(known: readonly Sentence[], english: string): string | undefined {
  for (const [pattern, translated] of known) {
    const found = pattern.exec(english);
    if (found !== null) {
      return translated(...found.slice(1));
    }
  }
  return undefined;
}

const found: readonly Sentence[] = [
  [/^available$/, () => t('available')],
  [/^not available$/, () => t('not available')],
  [/^none$/, () => t('none')],
  [/^1 workspace$/, () => t('1 workspace')],
  [/^(\d+) workspaces$/, (count) => t('{0} workspaces', count)],
  [
    /^(\d+) of (\d+) in ([\d-]+) reserved$/,
    (used, all, range) => t('{0} of {1} in {2} reserved', used, all, range),
  ],
  [
    /^(\S+ \S+) free in (\/.*|[A-Z]:\\.*)$/,
    (size = '', folder) => t('{0} free in {1}', localSize(size), folder),
  ],
  [/^(\S+) is not on this machine\.$/, (image) => t('{0} is not on this machine.', image)],
  [/^(\S+) is not on (\S+)\.$/, (image, machine) => t('{0} is not on {1}.', image, machine)],
  [/^SSH does not find the workspaces: (.+)$/s, (why) => t('SSH does not find the workspaces: {0}', why)],
  [
    /^The list of protected volumes was damaged: what is left of it is in (.+), and each volume that may have been in it counts as protected\.$/,
    (file) =>
      t(
        'The list of protected volumes was damaged: what is left of it is in {0}, and each volume that may have been in it counts as protected.',
        file,
      ),
  ],
  [/^There is no `ssh` command\.$/, () => t('There is no `ssh` command.')],
  [/^(.+) includes the workspaces\.$/, (file) => t('{0} includes the workspaces.', file)],
  [
    /^(.+) does not include the workspaces yet: SSH and Remote-SSH do not know their names\.$/,
    (file) => t('{0} does not include the workspaces yet: SSH and Remote-SSH do not know their names.', file),
  ],
];

const advised: readonly Sentence[] = [
  [
    /^Install the OpenSSH client \(openssh-client on Debian and Ubuntu\)\.$/,
    () => t('Install the OpenSSH client (openssh-client on Debian and Ubuntu).'),
  ],
  [
    /^Look at the lines around the Include in (.+)\.$/,
    (file) => t('Look at the lines around the Include in {0}.', file),
  ],
  [
    /^Free some space: workspaces fail when the disk is full\.$/,
    () => t('Free some space: workspaces fail when the disk is full.'),
  ],
  [
    /^Delete workspaces, or widen the range in the settings\.$/,
    () => t('Delete workspaces, or widen the range in the settings.'),
  ],
  [
    /^The volumes are untouched: (`berth adopt`) makes workspaces of them again\.$/,
    (command) => t('The volumes are untouched: {0} makes workspaces of them again.', command),
  ],
  [
    /^Nothing is removed by itself: adopt them, or delete them by hand\.$/,
    () => t('Nothing is removed by itself: adopt them, or delete them by hand.'),
  ],
  [
    /^If this is a virtual machine itself, turn on nested virtualization in its settings, then run the check again\. Until then microVMs work, slower\. The log of the engine has what QEMU said\.$/,
    () =>
      t(
        'If this is a virtual machine itself, turn on nested virtualization in its settings, then run the check again. Until then microVMs work, slower. The log of the engine has what QEMU said.',
      ),
  ],
];

/** Of what a runtime says of itself: product, address, how it is accelerated. */
const ofRuntimes: readonly Sentence[] = [
  [/^accelerated by KVM$/, () => t('accelerated by KVM')],
  [/^accelerated by Hypervisor\.framework$/, () => t('accelerated by Hypervisor.framework')],
  [
    /^accelerated by the Windows Hypervisor Platform$/,
    () => t('accelerated by the Windows Hypervisor Platform'),
  ],
  [/^emulated$/, () => t('emulated')],
  [/^emulated: this machine has no (\S+)$/, (device) => t('emulated: this machine has no {0}', device)],
  [/^emulated: this user may not open (\S+)$/, (device) => t('emulated: this user may not open {0}', device)],
  [/^emulated: this machine has (\S+)$/, (kind) => t('emulated: this machine has {0}', kind)],
  [/^but a trial microVM did not run with it$/, () => t('but a trial microVM did not run with it')],
  [/^on (\S+)$/, (machine) => t('on {0}', machine)],
];

/** What was found. Names, and what another engine says, stay as they are. */
export function foundWords({ name, message }: { name: string; message: string }): string {
  const whole = translatedBy(found, message);
  if (whole !== undefined || !name.startsWith('runtime.')) {
    return whole ?? engineSentence(message);
  }
  const sentence = engineSentence(message);
  return sentence === message
    ? message
        .split(', ')
        .map((part) => translatedBy(ofRuntimes, part) ?? part)
        .join(', ')
    : sentence;
}

/** What is advised; a command of the command line stays in it. */
export function adviceWords(hint: string): string {
  return translatedBy(advised, hint) ?? engineSentence(hint);
}
