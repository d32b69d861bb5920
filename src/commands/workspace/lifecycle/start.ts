import type { Handler } from '../../command';
import { verbCommand, type VerbServices } from './verb';

/** Starts stopped workspaces; paused ones go on. */
export const startWorkspace = (services: VerbServices): Handler => verbCommand(services, 'start');
