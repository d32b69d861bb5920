import { column } from './columns';
import { ContainersUnderTest } from './containers';
import { MicrovmsUnderTest } from './microvms';
import type { RuntimeUnderTest, TestedEngine } from './runtime-under-test';

/** Of the column that runs. */
export function runtimeUnderTest(engine: TestedEngine): RuntimeUnderTest {
  return column === 'microvm' ? new MicrovmsUnderTest(engine) : new ContainersUnderTest(engine);
}
