/** What the routes call. Made once, in the composition root. */
import type { Adoption } from '../services/workspaces/adoption';
import type { CacheService } from '../services/engine/caches';
import type { Commits } from '../services/images/commits';
import type { Doctor } from '../services/engine/doctor';
import type { Ending } from '../services/engine/ending';
import type { EngineDescription } from '../services/engine/engine-description';
import type { EventHub } from '../services/operations/event-hub';
import type { Forks } from '../services/workspaces/fork/forks';
import type { Keeping } from '../services/workspaces/fork/keep';
import type { Images } from '../services/images/images';
import type { Leases } from '../services/workspaces/watch/leases';
import type { Lifetime } from '../services/engine/lifetime';
import type { Locations } from '../services/volumes/locations';
import type { Log } from '../machine/log';
import type { Operations } from '../services/operations/operations';
import type { Settings } from '../services/engine/settings';
import type { SshAccess } from '../services/engine/ssh-access';
import type { SnapshotPolicies } from '../services/snapshots/policies';
import type { Snapshots } from '../services/snapshots/snapshots';
import type { Transfers } from '../services/transfers/transfers';
import type { Volumes } from '../services/volumes/volumes';
import type { Visibility } from '../services/callers/visibility';
import type { Work } from '../services/engine/work';
import type { WorkspaceAccess } from '../services/workspaces/access';
import type { WorkspaceCreator } from '../services/workspaces/create';
import type { WorkspaceVerbs } from '../services/workspaces/verbs';
import type { Workspaces } from '../services/workspaces/workspaces';

export interface Services {
  workspaces: Workspaces;
  verbs: WorkspaceVerbs;
  creator: WorkspaceCreator;
  access: WorkspaceAccess;
  adoption: Adoption;
  volumes: Volumes;
  snapshots: Snapshots;
  snapshotPolicies: SnapshotPolicies;
  locations: Locations;
  transfers: Transfers;
  images: Images;
  commits: Commits;
  forks: Forks;
  keeping: Keeping;
  operations: Operations;
  settings: Settings;
  doctor: Doctor;
  caches: CacheService;
  sshAccess: SshAccess;
  description: EngineDescription;
  visibility: Visibility;
  events: EventHub;
  leases: Leases;
  lifetime: Lifetime;
  log: Log;
  /** What is done for clients beside operations. */
  work: Work;
  ending: Ending;
}
