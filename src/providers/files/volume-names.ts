/**
 * VS Code lower-cases the authority of a URI when it keeps one as text, and volumes of other tools may have
 * capitals: a name that the engine does not know is looked up once without regard to case.
 */
import { BerthError } from '../../api';
import type { EngineClient } from '../../client/engine-client';

export class VolumeNames {
  private readonly known = new Map<string, string>();

  /** Runs `use` with the volume's true name. */
  async with<T>(client: EngineClient, authority: string, use: (volume: string) => Promise<T>): Promise<T> {
    const name = this.known.get(authority) ?? authority;
    try {
      return await use(name);
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== 'not_found') {
        throw error;
      }
      const found = await this.find(client, authority);
      if (found === undefined || found === name) {
        throw error;
      }
      this.known.set(authority, found);
      return use(found);
    }
  }

  private async find(client: EngineClient, authority: string): Promise<string | undefined> {
    const wanted = authority.toLowerCase();
    const volumes = await client.call('volumes.list', {});
    return volumes.find(({ name }) => name.toLowerCase() === wanted)?.name;
  }
}
