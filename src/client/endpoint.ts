export { socketPath, stateDirectory } from '../api/rules/endpoint';
