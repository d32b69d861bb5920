/**
 * Containers that bring something out of an image, and go when that is done. They say whose they are and which process
 * waits for them, so that the next engine removes what one that was killed has left: it holds its image.
 */
import { randomUUID } from 'node:crypto';
import { isStatus } from './docker-errors';
import type { Endpoint } from './endpoint';
import { fillerOwner, isAbandoned } from '../tools/filler-lock';
import { helperRoles, label } from './labels';
import type { Ownership } from './ownership';

/** Longer than any of them is given. */
const oldestMs = 60 * 60_000;

export class Helpers {
  private readonly owner = fillerOwner(randomUUID());

  constructor(
    private readonly endpoint: Endpoint,
    private readonly ownership: Ownership,
  ) {}

  labels(role: (typeof helperRoles)[number]): Record<string, string> {
    return {
      ...this.ownership.labels,
      [label.role]: role,
      [label.filler]: JSON.stringify(this.owner),
    };
  }

  /** Removes those that nobody waits for any more; another installation's are its own. */
  async sweep(): Promise<void> {
    // Asked as somebody else: what this very process waits for now is no leftover.
    const asking = fillerOwner(randomUUID());
    await this.endpoint.call('look for abandoned containers', async (docker) => {
      const found = await docker.listContainers({ all: true, filters: { label: [label.role] } });
      const left = found.filter(({ Labels: labels, Created: seconds }) => {
        const owner = (labels as Partial<Record<string, string>>)[label.filler];
        const created = { Created: new Date(seconds * 1000).toISOString() };
        return (
          helperRoles.some((role) => role === labels[label.role]) &&
          this.ownership.of(labels) === undefined &&
          isAbandoned(owner, asking, created, oldestMs)
        );
      });
      for (const { Id: id } of left) {
        await docker
          .getContainer(id)
          .remove({ force: true, v: true })
          .catch((error: unknown) => {
            if (!isStatus(error, 404, 409)) {
              throw error;
            }
          });
      }
    });
  }
}
