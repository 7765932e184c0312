/** The management port's door, which is opened only where MANAGEMENT_PORT is set: what is behind it takes time and memory to load. */
export { LineServiceState } from '../health/line-service-state.js';
export { LineSourceModule } from './line-source.module.js';
export { ManagementModule } from './management.module.js';
export { createManagement, listenForManagement } from './management-server.js';
