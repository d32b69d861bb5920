import { itKeepsTheContract } from '../../../support/runtime-contract';
import { Bench } from './support';

describe('containers keep the contract of runtimes', function () {
  this.timeout(120_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  itKeepsTheContract(() => bench);
});
