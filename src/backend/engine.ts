/** Builds the engine of one state directory: every service once, wired by constructors. */
import { EventHub } from './services/operations/event-hub';
import { Adoption } from './services/workspaces/adoption';
import { Commits } from './services/images/commits';
import { CacheService } from './services/engine/caches';
import { Doctor } from './services/engine/doctor';
import { DriverEvents } from './services/engine/driver-events';
import { Drivers } from './services/engine/drivers';
import { Ending } from './services/engine/ending';
import { EngineDescription } from './services/engine/engine-description';
import { IdleWatch } from './services/workspaces/watch/idle';
import { Images } from './services/images/images';
import { Leases } from './services/workspaces/watch/leases';
import { IdleMemory } from './services/engine/idle-memory';
import { Lifetime } from './services/engine/lifetime';
import { Locations } from './services/volumes/locations';
import { systemClock, type Clock } from './machine/clock';
import type { Log } from './machine/log';
import { Operations } from './services/operations/operations';
import { Reconciler } from './services/workspaces/watch/reconcile';
import { Settings } from './services/engine/settings';
import { SshAccess } from './services/engine/ssh-access';
import { Transfers } from './services/transfers/transfers';
import { AutomaticSnapshots } from './services/snapshots/automatic';
import { SnapshotPolicies } from './services/snapshots/policies';
import { Snapshots } from './services/snapshots/snapshots';
import { Keeping } from './services/workspaces/fork/keep';
import { ForkBases } from './services/workspaces/fork/bases';
import { Exports } from './services/workspaces/export/exports';
import { Imports } from './services/workspaces/export/imports';
import { Forks } from './services/workspaces/fork/forks';
import { LeavingVolumes } from './services/trash/leaving-volumes';
import { Restoring } from './services/trash/restoring';
import { ThrowingAway } from './services/trash/throwing-away';
import { TrashBin, type TrashBinDeps } from './services/trash/trash-bin';
import { Volumes } from './services/volumes/volumes';
import { Visibility } from './services/callers/visibility';
import { Work } from './services/engine/work';
import { WorkspaceAccess } from './services/workspaces/access';
import { WorkspaceCreator } from './services/workspaces/create';
import { WorkspaceRegistry } from './services/workspaces/registry';
import { WorkspaceStarter } from './services/workspaces/start/starter';
import { workspaceVerbs } from './services/workspaces/verbs';
import { recoverDelaysMs } from './services/workspaces/verbs/recover';
import { Workspaces } from './services/workspaces/workspaces';
import { Runtimes } from './services/workspaces/runtime-handle';
import type { Operation } from '../api/operations/schemas';
import type { Driver } from './drivers/driver';
import type { Services } from './server/services';
import { SshConfig } from './ssh/config';
import { SshKeys } from './ssh/keys';
import { PortLedger } from './ssh/ports';
import { AdoptedVolumes, type AdoptedVolume } from './store/adopted-volumes';
import { ProtectedVolumes } from './store/protected-volumes';
import { DownloadDrafts } from './store/download-drafts';
import { RemovalJournal } from './store/removal-journal';
import { SecretStore } from './store/secrets';
import { SnapshotRecords } from './store/snapshot-records';
import { TrashRecords } from './store/trash-records';
import { TrashTime } from './store/trash-time';
import type { StateDirectory } from './store/state-directory';

export interface EngineOptions {
  state: StateDirectory;
  settings: Settings;
  version: string;
  idleExitMs: number;
  log: Log;
  /** `isAdopted`: a volume that the user had this installation take over. */
  makeDrivers: (settings: Settings, isAdopted: (volume: AdoptedVolume) => boolean) => Driver[];
  /** Ends the process. */
  exit: () => void;
  clock?: Clock;
  /** How long what is deleted is kept in the trash, unless the settings say; absent: it is not. */
  trashDays?: number;
  /** The pauses between the tries of a recovery. */
  recoverDelaysMs?: readonly number[];
  /** How long a silent runtime product may hold up the start of the engine. */
  reconcileTimeoutMs?: number;
  /** The pause before a workspace that could not be looked at is looked at again; it doubles with each failure. */
  reconcileRetryMs?: number;
}

export interface Engine {
  services: Services;
  /** Reads all records and what the drivers report. */
  load(): Promise<void>;
  close(): Promise<void>;
  /** What is being worked at, for people. */
  running(): string[];
}

const reconcileTimeoutMs = 3_000;

function trashOf(
  { state, settings, trashDays = 0 }: EngineOptions,
  deps: Omit<TrashBinDeps, 'trashRecords' | 'time' | 'removals' | 'trashDays'>,
) {
  const removals = new RemovalJournal(state.removals);
  const bin = new TrashBin({
    ...{ ...deps, removals, trashRecords: new TrashRecords(state.trash) },
    time: new TrashTime(state.trashTime, deps.clock),
    trashDays: () => settings.get().trashDays ?? trashDays,
  });
  return { bin, removals };
}

function automaticOf({
  snapshotRecords: records,
  ...deps
}: Pick<TrashBinDeps, 'snapshotRecords' | 'registry' | 'bases' | 'clock' | 'log'> & {
  snapshots: Snapshots;
  operations: Operations;
}) {
  const { snapshots } = deps;
  const snapshotPolicies = new SnapshotPolicies({ ...deps, records });
  const automatic = new AutomaticSnapshots({
    ...{ ...deps, records },
    take: (volume, reason, by) => snapshots.takeAutomatic(volume, reason, by),
    thin: (volume, policy, reasons, by) => snapshotPolicies.thinAutomatic(volume, policy, reasons, by),
  });
  return { snapshotPolicies, automatic };
}

/** Everything but what the routes alone use. */
function wire(options: EngineOptions) {
  const { state, settings, log } = options;
  const events = new EventHub();
  const adopted = new AdoptedVolumes(state.adopted);
  const guarded = new ProtectedVolumes(state.protectedVolumes);
  const drivers = new Drivers(options.makeDrivers(settings, (volume) => adopted.has(volume)));
  const operations = new Operations(state.operations, events, log);
  const ports = new PortLedger(() => settings.portRange);
  const keys = new SshKeys(state);
  const secrets = new SecretStore(state);
  const activityOf = (workspace: string) => ({
    operations: operations.idsOf(workspace),
    steps: operations.startStepsOf(workspace),
  });
  const sshConfig = new SshConfig(state);
  const registry = new WorkspaceRegistry({ state, ports, sshConfig, events, log, activityOf });
  const runtimes = new Runtimes(drivers);
  const starter = new WorkspaceStarter({ registry, drivers, runtimes, ports, keys, secrets, events });
  const workspaces = new Workspaces({ registry, runtimes, secrets, ports });
  const bases = new ForkBases();
  const snapshotRecords = new SnapshotRecords(state.snapshots);
  const leaving = new LeavingVolumes();
  const volumes = new Volumes({
    ...{ drivers, runtimes, registry, adopted, guarded, leaving, snapshots: snapshotRecords, events, log },
  });
  const snapshots = new Snapshots({
    ...{ drivers, records: snapshotRecords, operations, registry, guarded, volumes, events, log },
  });
  const clock = options.clock ?? systemClock;
  const kept = { drivers, registry, snapshots, snapshotRecords, bases, clock, log };
  const { bin, removals } = trashOf(options, kept);
  const trash = new ThrowingAway({ ...kept, bin, runtimes, volumes, leaving, operations });
  const verbs = workspaceVerbs({
    ...{ registry, runtimes, starter, operations, keys, secrets },
    ...{ adopted, guarded, snapshots, bases, trash, log },
    recoverDelaysMs: options.recoverDelaysMs ?? recoverDelaysMs,
  });
  const access = new WorkspaceAccess({ registry, runtimes, keys, secrets, state });
  const sessionsOf = (workspace: string) => access.sessionsOf(workspace);
  const idle = new IdleWatch({ registry, verbs, runtimes, clock, log, sessionsOf });
  const remove = async (workspace: string) => {
    await operations.end([verbs.delete(workspace, { now: true }).id]);
  };
  const leases = new Leases({ registry, clock, log, remove });
  return {
    ...options,
    ...{ adopted, guarded, events, drivers, operations, ports, keys, secrets, registry, starter, runtimes },
    ...{ workspaces, verbs, access, volumes, snapshots, snapshotRecords, bases },
    ...{ bin, removals, trash, idle, leases },
    ...automaticOf({ ...kept, operations }),
    idleMemory: new IdleMemory(),
  };
}

type Parts = ReturnType<typeof wire>;

/** What would be cut off if the engine ended now; undefined when nothing would. */
function reasonToStay({ operations, registry, runtimes }: Parts, work?: Work): string | undefined {
  if (operations.runningCount > 0) {
    return 'an operation is running';
  }
  const carried = registry
    .all()
    .find((record) => record.state === 'running' && runtimes.of(record).isCarried);
  if (carried !== undefined) {
    return `connections to ${carried.name} go through it`;
  }
  return work?.all[0];
}

function lifetimeOf(parts: Parts): Lifetime {
  const { idle, idleMemory, automatic, leases, idleExitMs, exit } = parts;
  const busy = () =>
    reasonToStay(parts) ??
    (idle.isWatching ? 'an idle policy is watched' : undefined) ??
    (automatic.isWatching ? 'snapshots are made by the clock' : undefined) ??
    (leases.isWaiting ? 'a temporary workspace is to be deleted' : undefined);
  return new Lifetime({ idleExitMs, busy, exit, used: () => idleMemory.touch() });
}

function servicesOf(parts: Parts): Services {
  const { state, settings, log, drivers, runtimes, registry, operations, volumes } = parts;
  const work = new Work();
  const lifetime = lifetimeOf(parts);
  const sshAccess = new SshAccess(state);
  const drafts = new DownloadDrafts(state.downloads);
  const creator = new WorkspaceCreator({ ...parts, defaults: () => settings.defaults });
  return {
    ...parts,
    creator,
    adoption: new Adoption(parts),
    locations: new Locations({ registry, runtimes, openFiles: (volume) => volumes.files(volume) }),
    transfers: new Transfers({
      drafts,
      openFiles: (volume) => volumes.files(volume),
    }),
    images: new Images(drivers, registry, operations, log, drafts, parts.bases),
    forks: new Forks({ ...parts, creator }),
    exports: new Exports(parts),
    imports: new Imports({ ...parts, creator }),
    keeping: new Keeping(parts),
    restoring: new Restoring({ ...parts, creator }),
    commits: new Commits(registry, runtimes, operations),
    caches: new CacheService(drivers),
    doctor: new Doctor(drivers, registry, settings, state, sshAccess, parts.guarded),
    sshAccess,
    visibility: new Visibility({ registry, operations, snapshots: parts.snapshotRecords }),
    description: new EngineDescription({ ...parts, home: state.home }),
    lifetime,
    work,
    ending: new Ending({ lifetime, reasonToStay: () => reasonToStay(parts, work), exit: parts.exit }),
  };
}

async function loadVolumeLists({ adopted, guarded, log }: Parts): Promise<void> {
  await adopted.load();
  await guarded.load();
  if (guarded.damaged !== undefined) {
    log.error({ path: guarded.damaged }, 'the list of protected volumes was damaged');
  }
}

/** What follows from what is reported. */
function observe(
  { events, idle, idleMemory, automatic, leases, registry }: Parts,
  reconciler: Reconciler,
): void {
  events.observe((event) => {
    idleMemory.touch();
    if (event.type === 'workspace.changed' || event.type === 'workspace.deleted') {
      idle.reschedule();
      automatic.look(event.payload.name);
      leases.look(event.payload.name);
    } else if (event.type === 'operation.changed' && changesWorkspace(event.payload)) {
      registry.publish(event.payload.workspace ?? '');
      if (event.payload.status !== 'running') {
        void reconciler.operationEnded(event.payload.workspace ?? '');
      }
    }
  });
}

/** Builds the engine; nothing runs, and nothing is written, before it is started. */
export function createEngine(options: EngineOptions): Engine {
  const parts = wire(options);
  const { registry, operations, keys, idle, idleMemory, automatic, leases, events, drivers, log, bin } =
    parts;
  const services = servicesOf(parts);
  const reconciler = new Reconciler(parts);
  const driverEvents = new DriverEvents(drivers, events, log, (volume) => parts.volumes.shown(volume));

  const load = async () => {
    await options.state.sweep();
    // A folder of the user may be on a slow disk: nobody waits for it.
    services.transfers.tidy().catch((error: unknown) => {
      log.warn({ err: error }, 'drafts of downloads were not removed');
    });
    await loadVolumeLists(parts);
    await operations.load();
    await registry.load();
    automatic.begin();
    await services.snapshots.load();
    await bin.load();
    await services.keeping.load();
    await keys.makeClientKey();
    const reconciled = reconciler.start().catch((error: unknown) => {
      log.error({ err: error }, 'not reconciled');
    });
    void reconciled.then(() => parts.volumes.tidy(operations.unfinishedVolumes));
    void reconciled.then(() => services.restoring.load());
    await Promise.race([reconciled, timeout(options.reconcileTimeoutMs ?? reconcileTimeoutMs)]);
    driverEvents.start();
    observe(parts, reconciler);
    idle.reschedule();
    automatic.lookAtAll();
    services.lifetime.touch();
  };
  const close = async () => {
    services.lifetime.close();
    idle.close();
    automatic.close();
    idleMemory.close();
    bin.close();
    leases.close();
    reconciler.close();
    driverEvents.close();
    await operations.close();
    await drivers.close();
  };
  const running = () => [
    ...operations.list(true).map(({ id, title }) => `${title} (${id})`),
    ...services.work.all,
  ];
  return { services, load, close, running };
}

/** A workspace names its operations: those that watch it are told when one begins, and when it has ended. */
function changesWorkspace({ status, steps, progress }: Operation): boolean {
  return status !== 'running' || (steps.length === 0 && progress === undefined);
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
