import type { Handler } from '../../command';
import { verbCommand, type VerbServices } from './verb';

/** Starts workspaces after an error; a new runtime is made only where there is none. */
export const recoverWorkspace = (services: VerbServices): Handler => verbCommand(services, 'recover');
