import { filesKeepWhatTheyAre } from '../../support/files/file-conformance';
import { Engine } from './harness';

describe('files of Docker volumes keep what they are', function () {
  this.timeout(180_000);
  const engine = new Engine();
  after(() => engine.dispose());

  describe('that a container holds', () => {
    let volume: string;
    before(async () => {
      volume = await engine.volume('held');
      await engine.holder(volume);
    });
    filesKeepWhatTheyAre({ files: () => engine.keepers.files(volume), seeds: [4, 5] });
  });

  describe('that nothing holds', () => {
    let volume: string;
    before(async () => {
      volume = await engine.volume('free');
    });
    filesKeepWhatTheyAre({ files: () => engine.keepers.files(volume), seeds: [6] });
  });
});
