import type { Handler, Services } from '../command';
import type { PlaceServices } from './place';
import { upload } from './upload';

/** Chooses files and brings them into a folder of a volume. */
export const uploadFiles = (services: PlaceServices & Pick<Services, 'transfers'>): Handler =>
  upload(services, { canSelectFiles: true, canSelectFolders: false });
