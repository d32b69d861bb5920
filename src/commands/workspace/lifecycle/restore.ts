import type { Handler } from '../../command';
import { verbCommand, type VerbServices } from './verb';

/** Starts archived workspaces again, with all their files. */
export const restoreWorkspace = (services: VerbServices): Handler => verbCommand(services, 'restore');
