/** Whom new files belong to. */
import { workspaceUser } from '../inside/places';

const sticky = 0o1000;
const othersWrite = 0o002;

interface Owned {
  uid: number;
  gid: number;
  mode: number;
}

/**
 * Of what is made in a folder: the owner of that folder. In one of root's that is for all, as /tmp, the workspace's user:
 * what root has there nobody else could remove. As images/tools/agent/attributes.py has it.
 */
export function ownerIn({ uid, gid, mode }: Owned): { uid: number; gid: number } {
  const isForAll = (mode & sticky) !== 0 && (mode & othersWrite) !== 0;
  return uid === 0 && isForAll ? { uid: workspaceUser, gid: workspaceUser } : { uid, gid };
}
