/** The types of the API, for clients: types only, so that no schema library is bundled with them. */
export type {
  ConflictPolicy,
  FileChange,
  FileEntry,
  FileList,
  FileLocation,
  FileMeasure,
  FileType,
  TransferCreate,
  ConflictList,
} from './files/schemas';
export type { Cache, CacheId } from './engine/caches';
export type {
  Change,
  ChangedPart,
  ChangeKind,
  ComparedFile,
  CompareEnd,
  CompareEvent,
  CompareFailure,
  CompareQuery,
} from './files/compare';
export type { LeftReason, TakenChange, TakeOverResult } from './files/take-over';
export type { FindEnd, FindEvent, FindQuery, FoundLine } from './files/find';
export type { Snapshot, SnapshotCreate, VerifyResult } from './snapshots/schemas';
export type { Volume, VolumeCreate, VolumeKind, Holder } from './volumes/schemas';
export type {
  ExecRequest,
  ExecResult,
  IdlePolicy,
  Limits,
  LimitsPatch,
  Mount,
  NetworkMode,
  Problem,
  PublishedPort,
  RuntimeKind,
  SshTarget,
  Step,
  Workspace,
  WorkspaceCreate,
  WorkspacePatch,
  WorkspaceSpec,
  WorkspaceState,
  WorkspaceStats,
} from './workspaces/schemas';
export type {
  Operation,
  OperationStatus,
  Progress,
  TransferOperation,
  TransferResult,
} from './operations/schemas';
export type {
  Adoptable,
  Check,
  DoctorReport,
  DriverStatus,
  EngineInfo,
  EngineSettings,
  EngineSettingsChange,
  Image,
  Orphan,
  SshConfigStatus,
} from './engine/schemas';
export type { CheckRemedy } from './engine/check-remedy';
export type { EngineEvent, EventPayloads, EventType } from './events';
export { BerthError, asBerthError, isRetryable, type ErrorBody, type ErrorCode } from './errors';
export { berthVersion, protocolVersion } from './version';
