/** What was copied or cut in the views, until it is pasted. */
import type { ContextKeys } from '../../providers/context-keys';
import type { VolumePlace } from '../../providers/files/volume-uri';

export interface Clip {
  places: readonly VolumePlace[];
  how: 'copy' | 'move';
}

export class Clipboard {
  private clip: Clip | undefined;

  constructor(private readonly keys: Pick<ContextKeys, 'set'>) {}

  get content(): Clip | undefined {
    return this.clip;
  }

  put(clip: Clip): void {
    this.clip = clip;
    this.keys.set('berth.canPaste', true);
  }

  clear(): void {
    this.clip = undefined;
    this.keys.set('berth.canPaste', false);
  }
}
