import assert from 'node:assert/strict';
import { skipWithout } from '../skip';
import { OtherMachine } from './other-machine';

export interface OtherMachineOptions {
  /** Its `ssh` is that of this process, too. */
  isInPath?: boolean;
  /** An image of this machine that it is to have. */
  image?: string;
}

/** A machine for the tests of a `describe`, which are skipped where there can't be one. */
export function useOtherMachine({ isInPath = false, image }: OtherMachineOptions): () => OtherMachine {
  let machine: OtherMachine | undefined;
  const path = process.env.PATH ?? '';
  before(async function () {
    const obstacle = await OtherMachine.obstacle();
    if (obstacle !== undefined) {
      skipWithout(this, obstacle);
    }
    machine = new OtherMachine();
    await machine.start();
    await (image === undefined ? undefined : machine.take(image));
    if (isInPath) {
      process.env.PATH = `${machine.programs}:${path}`;
    }
  });
  after(async () => {
    process.env.PATH = path;
    await machine?.dispose();
  });
  return () => {
    assert(machine);
    return machine;
  };
}
