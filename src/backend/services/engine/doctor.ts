/** Checks of this machine: each that fails names its remedy. */
import { asBerthError } from '../../../api/errors';
import { localTarget, placeWords } from '../../../api/rules/runtimes';
import { checkTitle } from '../../../api/engine/check-titles';
import { checkImage } from '../../../api/rules/image-reference';
import { damagedListHint } from '../../../api/rules/holder';
import { ownerWords } from '../../../api/rules/owner';
import { formatBytes, gibibyte } from '../../../api/rules/sizes';
import type { Check, DoctorReport, DriverStatus, Orphan } from '../../../api/engine/schemas';
import type { RuntimeKind } from '../../../api/workspaces/schemas';
import { freeBytesIn } from '../../machine/free-space';
import { run } from '../../machine/run';
import type { ProtectedVolumes } from '../../store/protected-volumes';
import type { StateDirectory } from '../../store/state-directory';
import { statusOf, type Drivers } from './drivers';
import { defaultImage, type Settings } from './settings';
import type { SshAccess } from './ssh-access';
import { runtimeNameOf } from '../workspaces/record';
import type { WorkspaceRegistry } from '../workspaces/registry';

const lowSpaceBytes = 2 * gibibyte;

export class Doctor {
  constructor(
    private readonly drivers: Drivers,
    private readonly registry: WorkspaceRegistry,
    private readonly settings: Settings,
    private readonly state: StateDirectory,
    private readonly sshAccess: SshAccess,
    private readonly guarded: ProtectedVolumes,
  ) {}

  /** `userConfig`: the ssh config that is read for a user, when not the usual one. */
  async report(userConfig?: string): Promise<DoctorReport> {
    const groups = await Promise.all([
      this.runtimes(),
      this.image(),
      this.ssh(),
      this.sshConfig(userConfig),
      this.space(),
      this.ports(),
      this.records(),
      this.protection(),
      this.leftovers(),
    ]);
    const checks = groups.flat();
    return { ok: checks.every((check) => check.outcome !== 'failed'), checks };
  }

  /** Leftovers with our labels that no record owns: reported, never deleted by themselves. */
  async orphans(): Promise<Orphan[]> {
    const known = new Set(this.registry.all().map((record) => runtimeNameOf(record.name)));
    const found: Orphan[] = [];
    for (const driver of this.drivers.all()) {
      for (const info of await driver.list()) {
        const isKnown = known.has(info.name) && info.owner === undefined && info.isUnmarked !== true;
        if (!isKnown && info.workspace !== undefined) {
          found.push({
            kind: driver.kind,
            name: info.name,
            reason:
              info.owner === undefined
                ? 'It has the labels of a workspace, and no workspace here owns it. `berth adopt` takes it over.'
                : `It is a workspace of ${ownerWords(info.owner)}.`,
            ...(info.owner === undefined ? {} : { owner: info.owner }),
          });
        }
      }
      for (const volume of await driver.volumes.list()) {
        const isOwned = this.registry
          .all()
          .some(
            (record) =>
              volume.owner === undefined &&
              (record.homeVolume === volume.name || record.dockerVolume === volume.name),
          );
        if ((volume.role === 'home' || volume.role === 'docker') && !isOwned) {
          found.push({
            kind: 'volume',
            name: volume.name,
            reason:
              volume.owner === undefined
                ? 'It is named like a home volume, and no workspace here owns it.'
                : `It belongs to ${ownerWords(volume.owner)}.`,
            ...(volume.owner === undefined ? {} : { owner: volume.owner }),
          });
        }
      }
    }
    return found;
  }

  private async runtimes(): Promise<Check[]> {
    const statuses = await Promise.all(
      this.drivers.all().map((driver) => statusOf(driver, { afresh: true })),
    );
    const isUsable = statuses.some(({ available }) => available);
    return statuses.map((status) => ({
      ...checkTitle(`runtime.${status.runtime}`),
      outcome: status.available ? 'ok' : isUsable && !this.isWanted(status.runtime) ? 'warning' : 'failed',
      message: status.available
        ? [
            status.product ?? 'available',
            status.endpoint,
            placeWords(status.target),
            status.message ?? accelerationWords(status),
          ]
            .filter(Boolean)
            .join(', ')
        : (status.message ?? 'not available'),
      ...(status.hint !== undefined && { hint: status.hint }),
      ...(status.remedies !== undefined && { remedies: status.remedies }),
    }));
  }

  /** True if the default or any workspace uses this runtime. If not, a missing runtime is a warning, not a failure. */
  private isWanted(runtime: RuntimeKind): boolean {
    return (
      this.settings.defaults.runtime === runtime ||
      this.registry.all().some(({ spec }) => spec.runtime === runtime)
    );
  }

  private async image(): Promise<Check[]> {
    const { image, runtime } = this.settings.defaults;
    const base = checkTitle('image');
    try {
      checkImage(image, runtime, 'defaultImage');
      const id = await this.drivers.of({ runtime }).images.resolve(image);
      return id === undefined
        ? [
            {
              ...base,
              outcome: 'warning',
              message: `${image} is not on ${await this.machineOf(runtime)}.`,
              hint: 'Build it: `berth image build`.',
              remedies: image === defaultImage ? ['build-image', 'choose-image'] : ['choose-image'],
            },
          ]
        : [{ ...base, outcome: 'ok', message: image }];
    } catch (error) {
      const { code, message, hint } = asBerthError(error);
      const outcome = code === 'bad_request' ? 'failed' : 'skipped';
      const remedies: Check['remedies'] = outcome === 'failed' ? ['choose-image'] : undefined;
      return [
        {
          ...{ ...base, outcome, message },
          ...(hint !== undefined && { hint }),
          ...(remedies !== undefined && { remedies }),
        },
      ];
    }
  }

  private async machineOf(runtime: RuntimeKind): Promise<string> {
    const target = await this.drivers.of({ runtime }).target();
    return target === localTarget ? 'this machine' : target;
  }

  private async ssh(): Promise<Check[]> {
    const base = checkTitle('ssh');
    try {
      const { stderr } = await run('ssh', ['-V'], { what: 'ask ssh for its version', timeoutMs: 10_000 });
      return [{ ...base, outcome: 'ok', message: stderr.trim() }];
    } catch {
      return [
        {
          ...base,
          outcome: 'failed',
          message: 'There is no `ssh` command.',
          hint: 'Install the OpenSSH client (openssh-client on Debian and Ubuntu).',
          remedies: ['install-ssh-client'],
        },
      ];
    }
  }

  /** That it does not include ours is no fault: the user is asked when a workspace is first opened. */
  private async sshConfig(userConfig: string | undefined): Promise<Check[]> {
    const base = checkTitle('ssh.config');
    try {
      const status = await this.sshAccess.status(userConfig);
      const { included, problem } = status;
      if (problem !== undefined) {
        return [
          {
            ...{ ...base, outcome: 'warning', message: `SSH does not find the workspaces: ${problem}` },
            hint: `Look at the lines around the Include in ${status.userConfig}.`,
            remedies: ['open-ssh-config'],
          },
        ];
      }
      return included
        ? [{ ...base, outcome: 'ok', message: `${status.userConfig} includes the workspaces.` }]
        : [
            {
              ...{ ...base, outcome: 'skipped' },
              message: `${status.userConfig} does not include the workspaces yet: SSH and Remote-SSH do not know their names.`,
              remedies: ['include-ssh-config'],
            },
          ];
    } catch (error) {
      const { message, hint } = asBerthError(error);
      return [{ ...base, outcome: 'warning', message, ...(hint !== undefined && { hint }) }];
    }
  }

  private async space(): Promise<Check[]> {
    const free = await freeBytesIn(this.state.home);
    const size = `${formatBytes(free)} free in ${this.state.home}`;
    const targets = await Promise.all(
      this.drivers.all().map((driver) => driver.target().catch(() => localTarget)),
    );
    const others = targets.filter((target) => target !== localTarget);
    const message =
      others.length === 0
        ? size
        : `${size} on this machine; the disk of ${others.join(', ')}, which has the images and volumes there, was not measured`;
    const base = { ...checkTitle('space'), message };
    return free < lowSpaceBytes
      ? [{ ...base, outcome: 'warning', hint: 'Free some space: workspaces fail when the disk is full.' }]
      : [{ ...base, outcome: 'ok' }];
  }

  private ports(): Promise<Check[]> {
    const { first, last } = this.settings.portRange;
    const used = this.registry.all().length;
    const size = last - first + 1;
    const base = {
      ...checkTitle('ports'),
      message: `${used} of ${size} in ${first}-${last} reserved`,
    };
    return Promise.resolve(
      used >= size
        ? [
            {
              ...base,
              outcome: 'failed',
              hint: 'Delete workspaces, or widen the range in the settings.',
              remedies: ['widen-port-range'],
            },
          ]
        : [{ ...base, outcome: 'ok' }],
    );
  }

  private records(): Promise<Check[]> {
    const broken = this.registry.setAside;
    const base = checkTitle('records');
    return Promise.resolve(
      broken.length === 0
        ? [{ ...base, outcome: 'ok', message: recordsOf(this.registry.all().length) }]
        : [
            {
              ...base,
              outcome: 'warning',
              message: broken.join('\n'),
              hint: 'The volumes are untouched: `berth adopt` makes workspaces of them again.',
              remedies: ['adopt'],
            },
          ],
    );
  }

  /** No row where all is well: few protect volumes. */
  private protection(): Promise<Check[]> {
    const path = this.guarded.damaged;
    return Promise.resolve(
      path === undefined
        ? []
        : [
            {
              ...checkTitle('protected-volumes'),
              outcome: 'warning',
              message: `The list of protected volumes was damaged: what is left of it is in ${path}, and each volume that may have been in it counts as protected.`,
              hint: `\`berth volume list\` shows them: unprotect those that may be deleted. ${damagedListHint(path)}`,
            },
          ],
    );
  }

  private async leftovers(): Promise<Check[]> {
    const base = checkTitle('orphans');
    try {
      const all = await this.orphans();
      // What another installation made is in use there, for all that is known here: nothing to delete.
      const orphans = all.filter((orphan) => orphan.owner === undefined);
      const others = all.length - orphans.length;
      return orphans.length === 0
        ? [{ ...base, outcome: 'ok', message: others === 0 ? 'none' : `none; ${foreignWords(others)}` }]
        : [
            {
              ...base,
              outcome: 'warning',
              message: orphans.map((orphan) => `${orphan.kind} ${orphan.name}`).join(', '),
              hint: 'Nothing is removed by itself: adopt them, or delete them by hand.',
              remedies: ['adopt'],
            },
          ];
    } catch (error) {
      return [{ ...base, outcome: 'skipped', message: asBerthError(error).message }];
    }
  }
}

const accelerations: Readonly<Record<NonNullable<DriverStatus['acceleration']>, string>> = {
  kvm: 'accelerated by KVM',
  hvf: 'accelerated by Hypervisor.framework',
  whpx: 'accelerated by the Windows Hypervisor Platform',
  tcg: 'emulated',
};

function accelerationWords({ acceleration }: DriverStatus): string | undefined {
  return acceleration && accelerations[acceleration];
}

function foreignWords(count: number): string {
  return `${count} of other installations of Berth (\`berth adopt\` and \`berth volume list\` show them)`;
}

function recordsOf(count: number): string {
  return count === 1 ? '1 workspace' : `${count} workspaces`;
}
