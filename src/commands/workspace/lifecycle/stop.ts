import type { Handler } from '../../command';
import { verbCommand, type VerbServices } from './verb';

/** Stops workspaces: ten seconds of grace, then kill. Nothing is deleted. */
export const stopWorkspace = (services: VerbServices): Handler => verbCommand(services, 'stop');
