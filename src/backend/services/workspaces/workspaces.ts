/** Reading and changing workspaces. What changes their state is in `verbs/`. */
import { BerthError } from '../../../api/errors';
import type {
  Limits,
  Problem,
  PublishedPort,
  Workspace,
  WorkspacePatch,
} from '../../../api/workspaces/schemas';
import { notWhile } from '../../../api/rules/lifecycle';
import { sortedTags } from '../../../api/rules/names';
import type { PlannedPort } from '../../drivers/driver';
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
import { withWaiting, type Waiting } from './waiting-changes';

export interface WorkspacesDeps {
  registry: WorkspaceRegistry;
  runtimes: Runtimes;
  secrets: SecretStore;
  ports: PortLedger;
}

type Undo = () => Promise<unknown>;

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
   * One change after the other: what one has read, no other may have changed when it is written. One that fails leaves
   * all as it was. Throws `illegal_state` for a temporary workspace that does not stop to be one, and where one that is being deleted is to be protected, and `in_use` for a port that another program has.
   */
  update(name: string, patch: WorkspacePatch): Promise<Workspace> {
    return this.updates.run(name, () => this.change(name, patch));
  }

  private async change(name: string, patch: WorkspacePatch): Promise<Workspace> {
    const undo: Undo[] = [];
    try {
      return await this.apply(name, patch, undo);
    } catch (error) {
      for (const step of undo.reverse()) {
        // What went wrong is reported; what can't be undone either is most likely of the same cause.
        await step().catch(() => undefined);
      }
      throw error;
    }
  }

  /** What each of its steps has changed outside of the record, `undo` takes back. */
  private async apply(name: string, patch: WorkspacePatch, undo: Undo[]): Promise<Workspace> {
    const { registry } = this.deps;
    const record = registry.get(name);
    if (patch.temporary === undefined) {
      refuseTemporary(record);
    }
    if (patch.protected === true && record.state === 'deleting') {
      throw notWhile(record.state, name, "it can't be protected");
    }
    checkCredentials(patch.credentialFiles);
    const {
      label,
      tags,
      protected: isProtected,
      favourite,
      temporary,
      secrets: secretValues,
      limits: changed,
      ports: wanted,
      ...given
    } = patch;
    const { env: variables, ...spec } = given;
    const env = variables && changeVariables(record.spec.env ?? {}, variables, 'env');
    const limits = changed === undefined ? undefined : changeLimits(record.spec.limits, changed);
    const published = wanted && (await this.publish(name, wanted, undo));
    const waiting = limits && (await this.applyLimits(name, limits, undo));
    const secretNames = secretValues && (await this.putSecrets(name, secretValues, undo));
    const { spec: before, warnings } = registry.get(name);
    const next = await registry.change(name, {
      warnings: withAll(warnings, name, { limits: waiting, ports: published?.waiting }),
      ...(label !== undefined && { label }),
      ...marksOf({ tags, isProtected, favourite }),
      ...(temporary === false && { temporary: undefined }),
      // Its time begins now: what was idle under another policy, or none, says nothing.
      ...(patch.idle !== undefined && { lastUsedAt: new Date().toISOString() }),
      spec: {
        ...before,
        ...spec,
        ...(env !== undefined && { env }),
        ...(published !== undefined && { ports: published.ports }),
        ...(limits !== undefined && { limits }),
        ...(secretNames !== undefined && { secretNames }),
      },
    });
    return registry.show(next);
  }

  private runtime(name: string): Promise<RuntimeHandle> {
    return this.deps.runtimes.reach(this.deps.registry.get(name));
  }

  private async applyLimits(name: string, limits: Limits, undo: Undo[]): Promise<Waiting | undefined> {
    const { runtimeId, spec } = this.deps.registry.get(name);
    if (runtimeId === undefined) {
      return undefined;
    }
    const runtime = await this.runtime(name);
    undo.push(() => runtime.setLimits(spec.limits ?? {}));
    return runtime.setLimits(limits);
  }

  /** Answers all names. */
  private async putSecrets(
    name: string,
    values: Readonly<Record<string, string | null>>,
    undo: Undo[],
  ): Promise<string[]> {
    const { registry, secrets } = this.deps;
    const names = registry.get(name).spec.secretNames ?? [];
    // What can't be read any more is set anew by this very call.
    const before = new Map(Object.entries(await secrets.values(name, names).catch(() => ({}))));
    const old = Object.keys(values).map((key) => [key, before.get(key) ?? null] as const);
    undo.push(() => secrets.put(name, Object.fromEntries(old)));
    return secrets.put(name, values);
  }

  private async publish(
    name: string,
    wanted: readonly PublishedPort[],
    undo: Undo[],
  ): Promise<{ ports: PublishedPort[]; waiting: Waiting | undefined }> {
    const record = this.deps.registry.get(name);
    const { spec } = record;
    refuseUnsupported({ ...spec, ports: wanted }, this.deps.runtimes.of(record).driver);
    const before = spec.ports ?? [];
    let waiting: Waiting | undefined;
    const change = (ports: readonly PublishedPort[], from: readonly PublishedPort[]) =>
      changePorts(this.deps.ports, name, { wanted: ports, before: from }, async (planned) => {
        waiting = await this.setPorts(name, planned);
      });
    const ports = await change(wanted, before);
    undo.push(() => change(before, ports));
    return { ports, waiting };
  }

  private async setPorts(name: string, ports: readonly PlannedPort[]): Promise<Waiting | undefined> {
    const { runtimeId } = this.deps.registry.get(name);
    return runtimeId === undefined ? undefined : (await this.runtime(name)).setPorts(ports);
  }
}

/** What is not set is not in the record. */
function marksOf(wanted: {
  tags: readonly string[] | undefined;
  isProtected: boolean | undefined;
  favourite: boolean | undefined;
}): Partial<WorkspaceRecord> {
  const { tags, isProtected, favourite } = wanted;
  return {
    ...(tags !== undefined && { tags: tags.length === 0 ? undefined : sortedTags(tags) }),
    ...(isProtected !== undefined && { protected: isProtected || undefined }),
    ...(favourite !== undefined && { favourite: favourite || undefined }),
  };
}

/** What was to wait may be taken back. */
function withAll(
  warnings: readonly Problem[],
  name: string,
  { limits, ports }: { limits: Waiting | undefined; ports: Waiting | undefined },
): Problem[] {
  const after = limits === undefined ? [...warnings] : withWaiting(warnings, name, 'limits', limits);
  return ports === undefined ? after : withWaiting(after, name, 'ports', ports);
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
