import { column } from './columns';
import { ContainersUnderTest } from './containers';
import { MicrovmsUnderTest } from './microvms';
import type { RuntimeUnderTest, Surroundings } from './runtime-under-test';

/** Of the column that runs. */
export function runtimeUnderTest(surroundings: Surroundings): RuntimeUnderTest {
  return column === 'microvm' ? new MicrovmsUnderTest(surroundings) : new ContainersUnderTest(surroundings);
}
