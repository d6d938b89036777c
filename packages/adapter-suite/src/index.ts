/**
 * What every adapter must pass against its real server.
 * @module
 */
export type { Adapter, Observer, OpenOptions, Subject } from './contract.js';
export { Gate, openGate, type Target } from './gate.js';
export { Service, type ServiceKind, startService } from './service.js';
export { describeStorm } from './storm.js';
export { describeAdapter } from './suite.js';
