import type { Handler } from '../../command';
import { verbCommand, type VerbServices } from './verb';

/** Freezes all processes of workspaces. */
export const pauseWorkspace = (services: VerbServices): Handler => verbCommand(services, 'pause');
