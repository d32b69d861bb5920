/**
 * What operations produce, by their kind: the engine can begin none of another kind, and end none with another result.
 * Clients may meet kinds that they do not know, of a newer engine: then there is nothing to read in the result.
 */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { ExportResult } from '../workspaces/export';
import { WorkspaceState } from '../workspaces/schemas';
import { kindOf, verbs, type Verb } from '../rules/lifecycle';
import { PruneResult, RestoreResult, SnapshotResult, VerifyResult } from '../snapshots/schemas';
import { TrashEmptyResult, TrashRestoreResult } from '../trash/schemas';
import { ForkResult, KeepResult } from './fork';
import { TakeOverResult } from '../files/take-over';
import { RemovalResult, TransferResult } from './schemas';

/** It has nothing to say but that it succeeded. */
const Nothing = Type.Undefined();

const ImageResult = Type.Object({ image: Type.String() });
const WorkspaceResult = Type.Object({ workspace: Type.String() });
/** The state that it was left in; or that there was nothing to do. */
const StateResult = Type.Union([
  Type.Object({ state: WorkspaceState }),
  Type.Object({ changed: Type.Literal(false) }),
]);
const DeletionResult = Type.Object({
  deleted: Type.Array(Type.String(), { description: 'Volumes that went with it.' }),
  trash: Type.Optional(Type.String({ description: 'The id that it has in the trash.' })),
});

const special = {
  transfer: TransferResult,
  removal: RemovalResult,
  takeover: TakeOverResult,
  'image.build': Nothing,
  'image.pull': ImageResult,
  'image.push': ImageResult,
  'image.save': Type.Object({ image: Type.String(), path: Type.String() }),
  'snapshot.create': SnapshotResult,
  'snapshot.restore': RestoreResult,
  'snapshot.prune': PruneResult,
  'snapshot.verify': VerifyResult,
  'trash.restore': TrashRestoreResult,
  'trash.empty': TrashEmptyResult,
  'volume.delete': DeletionResult,
  'workspace.create': WorkspaceResult,
  'workspace.adopt': WorkspaceResult,
  'workspace.configure': Nothing,
  'workspace.fork': ForkResult,
  'workspace.keep': KeepResult,
  'workspace.export': ExportResult,
  'workspace.commit': Type.Object({ image: Type.String(), id: Type.String() }),
  'workspace.delete': DeletionResult,
} satisfies Record<string, TSchema>;

/** Of operations that are a verb's: but for `delete`, they leave a workspace in a state. */
export type VerbKind = `workspace.${Exclude<Verb, 'delete'>}`;
type Schemas = typeof special & Record<VerbKind, typeof StateResult>;

export type OperationKind = keyof Schemas;
export type OperationResults = { [K in OperationKind]: Static<Schemas[K]> };

const schemas: ReadonlyMap<string, TSchema> = new Map<string, TSchema>([
  ...verbs.map((verb) => [kindOf(verb), StateResult] as const),
  ...Object.entries(special),
]);

/** The schema of what operations of a kind produce; undefined for a kind that is not known. */
export function resultSchemaOf(kind: string): TSchema | undefined {
  return schemas.get(kind);
}

/** Every kind of operations. */
export const operationKinds: readonly string[] = [...schemas.keys()];
