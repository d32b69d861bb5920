/**
 * Who asked for what is being done. Kept beside the calls, not in them: it goes along with everything that a handler
 * begins, so that no service can forget to hand it on.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { owner, type Principal } from '../../../api/rules/principal';

const callers = new AsyncLocalStorage<Principal>();

/** The engine's own work counts as its owner's. */
export function currentCaller(): Principal {
  return callers.getStore() ?? owner;
}

/** Does something in the name of a caller, also what goes on after it was answered. */
export function runAs<T>(principal: Principal, work: () => T): T {
  return callers.run(principal, work);
}
