/** Where things are in a workspace, whatever runs it. */

export { homeAlias, homeFolder } from '../../api/rules/home-volume';
/** Of the Docker inside. */
export const dockerDirectory = '/var/lib/docker';
export const sshPortInside = 22;
/** The id of the user `workspace`, and of its group. */
export const workspaceUser = 1000;
