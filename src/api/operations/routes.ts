/** The part of the contract that is about operations: see `routes.ts`. */
import { Type } from '@sinclair/typebox';
import { namesOperation } from '../rules/principal';
import { Flag, Waiting } from '../common';
import { Operation } from './schemas';

const ById = Type.Object({ id: Type.String({ maxLength: 64, ...namesOperation }) });

export const operationRoutes = {
  'operations.list': {
    summary: 'Operations, newest first',
    tag: 'operations',
    scope: 'read',
    query: Type.Object({ running: Type.Optional(Flag) }),
    response: Type.Array(Operation),
  },
  'operations.get': {
    summary: 'One operation; `wait` holds the answer until it ends',
    tag: 'operations',
    scope: 'read',
    params: ById,
    query: Waiting,
    response: Operation,
  },
  'operations.cancel': {
    summary: 'Cancel an operation',
    tag: 'operations',
    scope: 'use',
    params: ById,
    response: Operation,
  },
} as const;
