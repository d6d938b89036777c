/**
 * What every adapter must pass against its real server.
 * @module
 */
export type { Adapter, Observer, OpenOptions, SharedConnection, Subject } from './contract.js';
export { Gate, openGate, type Target } from './gate.js';
export { Service, type ServiceKind, startService } from './service.js';
export { describeSharedStorm } from './shared-storm.js';
export { describeStorm } from './storm.js';
export { describeAdapter } from './suite.js';
