import type { Handler, Services } from '../command';
import type { PlaceServices } from './place';
import { upload } from './upload';

/** Chooses folders and brings them into a folder of a volume. */
export const uploadFolder = (services: PlaceServices & Pick<Services, 'transfers'>): Handler =>
  upload(services, { canSelectFiles: false, canSelectFolders: true });
