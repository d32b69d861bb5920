/** What is read only when one of these commands is called: see `webpack.config.js`. */
export { openEngineLog } from './engine/openLog';
export { stopEngine } from './engine/stop';
export { buildImage } from './image/build';
export { pullImage } from './image/pull';
export { publishPort } from './port/publish';
export { adoptVolumeAlone, takeVolumeOver } from './volume/adopt';
export { createVolume } from './volume/create';
export { goToPath } from './volume/goToPath';
export { resizeVolume } from './volume/resize';
export { commitWorkspace } from './workspace/commit';
export { adoptVolume } from './workspace/create/adopt';
export { createWorkspace } from './workspace/create/create';
export { createWorkspaceQuick } from './workspace/create/createQuick';
export { editLimits } from './workspace/editLimits';
export { forgetWorkspaces } from './workspace/lifecycle/forget';
export { rebuildWorkspace } from './workspace/lifecycle/rebuild';
export { startEmpty } from './workspace/lifecycle/start-empty';
export { showLogs } from './workspace/open/showLogs';
