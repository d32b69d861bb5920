/** Workspaces whose homes are folders, with the real agent, and what `berth cp` asks an engine for. */
import type { TransferCreate } from '../../../src/api';
import { asBerthError, BerthError } from '../../../src/api/errors';
import type { EngineClient } from '../../../src/client/engine-client';
import { Locations, type LocationDeps } from '../../../src/backend/services/volumes/locations';
import { Transfers, type TransferResult } from '../../../src/backend/services/transfers/transfers';
import { DownloadDrafts } from '../../../src/backend/store/download-drafts';
import type { TestVolume } from '../../unit/backend/files/agent/harness';
import { TestContext } from '../test-context';

interface Mounted {
  source: string;
  target: string;
  readOnly?: boolean;
}

export class SmallEngine {
  readonly locations: Locations;
  private readonly transfers: Transfers;

  /** `homes`: the home volumes of workspaces, by their names. `volumes`: also `rootfs@NAME`. */
  constructor(
    private readonly homes: Readonly<Record<string, string>>,
    private readonly volumes: Readonly<Record<string, TestVolume>>,
    records: string,
    mounts: readonly Mounted[] = [],
  ) {
    const openFiles = (name: string) => {
      const volume = volumes[name];
      return volume === undefined
        ? Promise.reject(new BerthError('not_found', `There is no volume ${name}.`))
        : Promise.resolve(volume.files);
    };
    const spec = {
      runtime: 'container',
      mounts: mounts.map((mount) => ({ kind: 'volume', readOnly: false, ...mount })),
    };
    const registry = { get: (name: string) => ({ name, homeVolume: homes[name], spec }) };
    const runtimes = {
      reach: () => Promise.resolve({ inspect: () => Promise.resolve({ id: 'runtime', volumes: [] }) }),
    };
    this.locations = new Locations({ registry, runtimes, openFiles } as unknown as LocationDeps);
    this.transfers = new Transfers({
      openFiles,
      drafts: new DownloadDrafts(records),
    });
  }

  run(request: TransferCreate): Promise<TransferResult> {
    return this.transfers.run(request, new TestContext());
  }

  readonly client = {
    call: (id: string, given: { params?: Record<string, string>; query?: Query; body?: { path: string } }) =>
      this.answer(id, given.params ?? {}, given.query ?? {}, given.body).catch((error: unknown) => {
        throw asBerthError(error);
      }),
  } as unknown as EngineClient;

  private async answer(
    id: string,
    { name = '', volume = '' }: Record<string, string>,
    { path = '/', follow = false, limit }: Query,
    body: { path: string } | undefined,
  ): Promise<unknown> {
    if (id === 'workspaces.get' || id === 'workspaces.locate') {
      if (this.homes[name] === undefined) {
        throw new BerthError('not_found', `There is no workspace ${name}.`);
      }
      return id === 'workspaces.get' ? { name } : this.locations.locate(name, path, { follow });
    }
    const files = this.volumes[volume]?.files;
    if (files === undefined) {
      throw new BerthError('not_found', `There is no volume ${volume}.`);
    }
    if (id === 'files.stat') {
      return files.stat(path);
    }
    if (id === 'files.list') {
      return files.list(path, limit === undefined ? {} : { limit });
    }
    if (id === 'files.mkdir' && body !== undefined) {
      return files.mkdir(body.path);
    }
    throw new Error(`no ${id} here`);
  }
}

interface Query {
  path?: string;
  follow?: boolean;
  limit?: number;
}
