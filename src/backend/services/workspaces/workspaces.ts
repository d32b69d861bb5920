/** Reading and changing workspaces. What changes their state is in `verbs/`. */
import { BerthError } from '../../../api/errors';
import type { Limits, PublishedPort, Workspace, WorkspacePatch } from '../../../api/workspaces/schemas';
import { refuseUnsupported } from '../../drivers/contract/support';
import { checkCredentials } from '../../inside/target';
import { KeyedLock } from '../../machine/keyed-lock';
import type { PortLedger } from '../../ssh/ports';
import type { SecretStore } from '../../store/secrets';
import { changeVariables } from '../../store/variables';
import { changeLimits } from './limits';
import type { WorkspaceRecord } from './record';
import type { WorkspaceRegistry } from './registry';
import type { RuntimeHandle, Runtimes } from './runtime-handle';
import { changePorts } from './start/published-ports';
import { reportWaiting } from './waiting-changes';

export interface WorkspacesDeps {
  registry: WorkspaceRegistry;
  runtimes: Runtimes;
  secrets: SecretStore;
  ports: PortLedger;
}

export class Workspaces {
  private readonly updates = new KeyedLock();

  constructor(private readonly deps: WorkspacesDeps) {}

  list(): Workspace[] {
    const { registry } = this.deps;
    return registry.all().map((record) => registry.show(record));
  }

  /** Throws `not_found`. */
  get(name: string): Workspace {
    const { registry } = this.deps;
    return registry.show(registry.get(name));
  }

  /**
   * One change after the other: what one has read, no other may have changed when it is written. Throws `illegal_state`
   * for a temporary workspace, and `in_use` for a port that another program has.
   */
  update(name: string, patch: WorkspacePatch): Promise<Workspace> {
    return this.updates.run(name, () => this.change(name, patch));
  }

  private async change(name: string, patch: WorkspacePatch): Promise<Workspace> {
    const { registry, secrets } = this.deps;
    const record = registry.get(name);
    refuseTemporary(record);
    checkCredentials(patch.credentialFiles);
    const { label, secrets: secretValues, limits: changed, ports: wanted, env: variables, ...spec } = patch;
    const env = variables && changeVariables(record.spec.env ?? {}, variables, 'env');
    const limits = changed === undefined ? undefined : changeLimits(record.spec.limits, changed);
    if (limits !== undefined && record.runtimeId !== undefined) {
      await this.applyLimits(name, limits);
    }
    const secretNames = secretValues === undefined ? undefined : await secrets.put(name, secretValues);
    const ports = wanted === undefined ? undefined : await this.changePorts(name, wanted);
    const next = await registry.change(name, {
      ...(label !== undefined && { label }),
      // Its time begins now: what was idle under another policy, or none, says nothing.
      ...(patch.idle !== undefined && { lastUsedAt: new Date().toISOString() }),
      spec: {
        ...registry.get(name).spec,
        ...spec,
        ...(env !== undefined && { env }),
        ...(ports !== undefined && { ports }),
        ...(limits !== undefined && { limits }),
        ...(secretNames !== undefined && { secretNames }),
      },
    });
    return registry.show(next);
  }

  private runtime(name: string): RuntimeHandle {
    return this.deps.runtimes.of(this.deps.registry.get(name));
  }

  private async applyLimits(name: string, limits: Limits): Promise<void> {
    const waiting = await this.runtime(name).setLimits(limits);
    await reportWaiting(this.deps.registry, name, 'limits', waiting);
  }

  private async changePorts(name: string, wanted: readonly PublishedPort[]): Promise<PublishedPort[]> {
    const { spec, runtimeId } = this.deps.registry.get(name);
    refuseUnsupported({ ...spec, ports: wanted }, this.runtime(name).driver);
    return changePorts(this.deps.ports, name, { wanted, before: spec.ports }, async (ports) => {
      if (runtimeId !== undefined) {
        const { needsRebuild } = await this.runtime(name).setPorts(ports);
        // What was to wait for a rebuild may be taken back.
        const others = this.deps.registry.get(name).warnings.filter(({ code }) => code !== 'ports');
        await this.deps.registry.update(name, { warnings: others });
        await reportWaiting(this.deps.registry, name, 'ports', { needsRebuild });
      }
    });
  }
}

/** Who changes one means to keep it, and would lose it all the same. */
function refuseTemporary({ name, temporary }: WorkspaceRecord): void {
  if (temporary === true) {
    throw new BerthError(
      'illegal_state',
      `Workspace ${name} is temporary: it is deleted when the command that made it ends.`,
      { hint: 'Create one that stays: `berth create NAME`.' },
    );
  }
}
