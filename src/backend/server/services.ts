/** What the routes call. Made once, in the composition root. */
import type { Adoption } from '../services/adoption';
import type { Commits } from '../services/commits';
import type { Doctor } from '../services/doctor';
import type { EngineDescription } from '../services/engine-description';
import type { EventHub } from '../services/event-hub';
import type { Images } from '../services/images';
import type { Leases } from '../services/leases';
import type { Lifetime } from '../services/lifetime';
import type { Locations } from '../services/locations';
import type { Log } from '../machine/log';
import type { Operations } from '../services/operations';
import type { Settings } from '../services/settings';
import type { SshAccess } from '../services/ssh-access';
import type { Transfers } from '../services/transfers';
import type { Volumes } from '../services/volumes';
import type { Visibility } from '../services/visibility';
import type { Work } from '../services/work';
import type { WorkspaceAccess } from '../services/workspace-access';
import type { WorkspaceCreator } from '../services/workspace-create';
import type { Workspaces } from '../services/workspaces';

export interface Services {
  workspaces: Workspaces;
  creator: WorkspaceCreator;
  access: WorkspaceAccess;
  adoption: Adoption;
  volumes: Volumes;
  locations: Locations;
  transfers: Transfers;
  images: Images;
  commits: Commits;
  operations: Operations;
  settings: Settings;
  doctor: Doctor;
  sshAccess: SshAccess;
  description: EngineDescription;
  visibility: Visibility;
  events: EventHub;
  leases: Leases;
  lifetime: Lifetime;
  log: Log;
  /** What is done for clients beside operations. */
  work: Work;
  /** What would be cut off if the engine ended now; undefined when nothing would. */
  reasonToStay: () => string | undefined;
  /** Ends the engine after the answer is sent. */
  stop: () => void;
}
