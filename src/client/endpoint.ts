export { socketPath, stateDirectory } from '../api/endpoint';
