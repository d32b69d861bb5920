/** The part of the contract that is about the trash: see `routes.ts`. */
import { Type } from '@sinclair/typebox';
import { Waiting } from '../common';
import { Operation } from '../operations/schemas';
import { snapshotIdPattern } from '../rules/names';
import { TrashEmpty, TrashItem, TrashRestore } from './schemas';

const ByItem = Type.Object({ item: Type.String({ pattern: snapshotIdPattern }) });

export const trashRoutes = {
  'trash.list': {
    summary: 'What was deleted and can be had back, newest first',
    tag: 'trash',
    scope: 'local',
    response: Type.Array(TrashItem),
  },
  'trash.restore': {
    summary: 'Have a workspace or volume back, stopped; throws `exists` where its name is taken',
    tag: 'trash',
    scope: 'local',
    params: ByItem,
    query: Waiting,
    body: TrashRestore,
    response: Operation,
  },
  'trash.empty': {
    summary: 'Remove for good what is in the trash, or some of it',
    tag: 'trash',
    scope: 'local',
    query: Waiting,
    body: TrashEmpty,
    response: Operation,
  },
} as const;
