/** What is read only when one of these commands is called: see `webpack.config.js`. */
export { commitWorkspace } from './commit';
export { adoptVolume } from './create/adopt';
export { forgetWorkspaces } from './lifecycle/forget';
export { rebuildWorkspace } from './lifecycle/rebuild';
export { startEmpty } from './lifecycle/start-empty';
