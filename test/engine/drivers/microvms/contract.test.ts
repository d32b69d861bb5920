import { itKeepsTheContract } from '../../../support/runtime-contract';
import { Bench } from './driver-bench';

describe('microVMs keep the contract of runtimes', function () {
  this.timeout(300_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  itKeepsTheContract(() => bench);
});
