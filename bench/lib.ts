/** What benchmarks are made of. Importing this runs nothing. */
export { isQuick, main } from './support/main';
export { report, formatRows, isWithin, repository, type Row } from './support/report';
export { interleave, median, quantile, repeat, time, type Pair } from './support/statistics';
export { enginePath, start, withEngine, withHome, type RunningEngine } from './support/engine';
