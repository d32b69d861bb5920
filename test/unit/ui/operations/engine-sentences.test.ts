import assert from 'node:assert/strict';
import { standIn } from '../../../support/vscode/stand-in';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerDriver } from '../../../../src/backend/drivers/containers/driver';
import { reasonOf } from '../../../../src/backend/drivers/containers/engine/docker-errors';
import { imagesDirectory } from '../../../../src/backend/resources';
import { sshFailure } from '../../../../src/backend/drivers/containers/engine/ssh-failure';
import { findQemu } from '../../../../src/backend/drivers/microvms/qemu/programs';
import { withWaiting } from '../../../../src/backend/services/workspaces/waiting-changes';
import { adviceWords, foundWords } from '../../../../src/commands/engine/doctor/check-sentences';
import { asBerthError, BerthError } from '../../../../src/api';
import { Runner } from '../../../../src/ui/runner';
import { useUnlinked } from '../../../support/vscode/unlinked';
import { engineSentence } from '../../../../src/ui/operations/engine-sentences';
import { hintInWindow } from '../../../../src/ui/remedies/hinted-remedy';

const root = join(__dirname, '../../../../..');
const german = JSON.parse(readFileSync(join(root, 'l10n/bundle.l10n.de.json'), 'utf8')) as Record<
  string,
  string
>;
const nothing = (): void => undefined;

/** In German, with what is filled in. */
const inGerman = (english: string): string => german[english] ?? english;

describe('sentences of the engine in German', () => {
  const unlinked = useUnlinked();
  beforeEach(() => {
    standIn.reset();
    standIn.translated = inGerman;
  });
  afterEach(() => standIn.reset());

  it('say that no container engine answers, where, and why', async () => {
    for (const [host, reason] of [
      ['unix:///nothing/there.sock', 'dort ist nichts'],
      ['tcp://127.0.0.1:1', 'dort antwortet nichts'],
    ]) {
      const driver = new ContainerDriver({
        ...{ installation: 'installation', imagesDirectory: imagesDirectory(), dockerHost: () => host },
        log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      });
      const { message = '', hint = '' } = await driver.status();
      assert.equal(
        engineSentence(message),
        `Keine Container-Engine antwortet. ${host} (Einstellung dockerHost): ${reason}.`,
      );
      assert.match(hintInWindow({ hint }) ?? '', /^Docker oder Podman starten/);
    }
    const places = 'unix:///run/docker.sock, unix:///run/podman.sock';
    assert.equal(
      engineSentence(`No container engine answers. Nothing is at ${places}.`),
      `Keine Container-Engine antwortet. Nichts ist unter ${places}.`,
    );
  });

  it('have a word for every reason', () => {
    const errors = [
      ...['ENOENT', 'ECONNREFUSED', 'EACCES', 'ETIMEDOUT', 'ENOTFOUND', 'ECONNRESET', 'CERT_EXPIRED'].map(
        (code) => Object.assign(new Error('certificate'), { code }),
      ),
      new Error('odd'),
    ];
    for (const error of errors) {
      const english = `No container engine answers. tcp://a:1 (DOCKER_HOST): ${reasonOf(error)}.`;
      const [, reason = ''] = / \(DOCKER_HOST\): (.+)\.$/.exec(engineSentence(english)) ?? [];
      assert.ok(reason !== '' && reason !== reasonOf(error), reason);
    }
  });

  it('say that QEMU is not there, which programs were looked for, and what to do', async () => {
    for (const [platform, remedy] of [
      ['linux', /^Installieren Sie es, z\. B\. `sudo apt install [^`]+`\. Container laufen auch ohne\.$/],
      ['darwin', /^Installieren Sie es: `brew install qemu`\.$/],
      ['win32', /^Installieren Sie es von https:\S+\.$/],
    ] as const) {
      const error = await findQemu({ env: {}, platform, architecture: 'x64' }).catch(asBerthError);
      if (!(error instanceof Error)) continue; // This machine has one in the usual folders of that system.
      assert.match(engineSentence(error.message), /^QEMU ist nicht installiert: es gibt kein \S+/);
      assert.match(hintInWindow({ hint: error.hint }) ?? '', remedy);
    }
    assert.equal(
      engineSentence('QEMU is not installed: there is no qemu-system-x86_64 and no qemu-img.'),
      'QEMU ist nicht installiert: es gibt kein qemu-system-x86_64 und kein qemu-img.',
    );
  });

  it('say why the container engine of another machine does not answer, with what ssh said as it is', () => {
    const ended = { code: 255, signal: null, stderr: 'ssh: connect to host box port 22: Connection refused' };
    const { message, hint } = sshFailure({ host: 'box', user: 'me' }, ended);
    assert.match(
      engineSentence(message),
      /^Unter me@box antwortet keine Container-Engine: der Rechner ist nicht erreichbar \(ssh: connect .* refused\)\.$/,
    );
    assert.match(hint ?? '', /^See that/);
  });

  it('say that there is no such image, and where a wrong name or login is mended', async () => {
    standIn.pressed = () => undefined;
    const { store, link, log } = unlinked();
    await new Runner(link, store, log).report(
      'Anlegen',
      new BerthError('image_missing', 'Could not pull debian:sid2: there is no such image.', {
        hint: 'Check the spelling of the image, or log in to its registry with `docker login`.',
      }),
    );
    assert.equal(
      standIn.messages.at(-1)?.text,
      'Anlegen: debian:sid2 konnte nicht geholt werden: so ein Image gibt es nicht. Prüfen Sie, wie das Image geschrieben ist, oder melden Sie sich mit `docker login` bei seiner Registry an.',
    );
    assert.equal(
      foundWords({ name: 'image', message: 'No container engine answers. Nothing is at unix:///x.' }),
      'Keine Container-Engine antwortet. Nichts ist unter unix:///x.',
    );
  });

  it('say what a change of a workspace waits for, with the button that brings it', () => {
    const [rebuild, start] = withWaiting([], 'demo', 'limits', {
      needsRebuild: ['memoryMiB', 'ports'],
      needsRestart: ['cpus'],
    });
    assert.equal(
      engineSentence(rebuild?.message ?? ''),
      'Wirkt ab dem nächsten Rebuild: Arbeitsspeicher, Ports.',
    );
    assert.equal(engineSentence(start?.message ?? ''), 'Wirkt ab dem nächsten Start: CPUs.');
    assert.match(hintInWindow({ hint: rebuild?.hint }) ?? '', /^„.+“ behält alle Volumes\.$/);
    assert.match(hintInWindow({ hint: start?.hint }) ?? '', /^„.+“ erledigt das\.$/);
  });

  it('are there for all that the checks of this machine find and advise', () => {
    const source = readFileSync(join(root, 'src/backend/services/engine/doctor.ts'), 'utf8');
    const written = (field: string): string[] =>
      [...source.matchAll(new RegExp(`\\b${field}: (?:'([^']+)'|\`((?:[^\`\\\\]|\\\\.)+)\`)`, 'g'))].map(
        ([, plain, template = '']) => (plain ?? template).replace(/\$\{[^}]*\}/g, '7').replaceAll('\\`', '`'),
      );
    const messages = [
      ...written('message'),
      '1 workspace',
      '3 workspaces',
      '3.4 GiB free in /home/me/.berth',
    ];
    const hints = written('hint').filter((hint) => !hint.includes('berth volume list'));
    assert.ok(messages.length > 7 && hints.length > 6, [...messages, ...hints].join('\n'));
    const english = [
      ...messages.filter((message) => foundWords({ name: 'x', message }) === message),
      ...hints.filter((hint) => adviceWords(hint) === hint),
    ];
    assert.deepEqual(english, []);
    assert.equal(
      foundWords({ name: 'runtime.microvm', message: 'QEMU 8.2, on box, accelerated by KVM' }),
      'QEMU 8.2, auf box, beschleunigt durch KVM',
    );
    const obstacle = 'QEMU 8.2, emulated: this machine has KVM, but a trial microVM did not run with it';
    assert.equal(
      foundWords({ name: 'runtime.microvm', message: obstacle }),
      'QEMU 8.2, emuliert: Dieser Rechner hat KVM, aber eine Probe-MicroVM lief damit nicht',
    );
  });

  it('leave what is said by others as it is', () => {
    assert.equal(engineSentence('Volumes are knitted.'), 'Volumes are knitted.');
    assert.equal(foundWords({ name: 'ssh', message: 'OpenSSH_9.6p1' }), 'OpenSSH_9.6p1');
    assert.equal(adviceWords('Ask somebody.'), 'Ask somebody.');
  });
});
