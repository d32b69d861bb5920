import { FakeDriver } from '../../../support/fakes/fake-driver';
import { itKeepsTheContract } from '../../../support/runtime-contract';

describe('the driver in memory keeps the contract of runtimes', () => {
  let made = 0;
  const driver = new FakeDriver();
  driver.images.known.set('debian:12', 'sha256:debian');
  const plan = () => {
    const workspace = `demo-${(made += 1)}`;
    const name = `workspace-${workspace}`;
    return {
      ...{ name, workspace, image: 'debian:12', env: {}, limits: {}, docker: false, network: 'on' as const },
      ...{ homeVolume: name, dockerVolume: undefined, mounts: [], sshPort: 2200 + made },
    };
  };

  itKeepsTheContract(() => ({ driver, plan }));
});
