import type { Handler } from '../../command';
import { verbCommand, type VerbServices } from './verb';

/** Lets paused workspaces go on. */
export const resumeWorkspace = (services: VerbServices): Handler => verbCommand(services, 'resume');
