import type { Handler } from '../../command';
import { verbCommand, type VerbServices } from './verb';

/** Stops and starts workspaces. */
export const restartWorkspace = (services: VerbServices): Handler => verbCommand(services, 'restart');
