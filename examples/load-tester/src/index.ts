/** For scripts: what their session is. */
export { type Reply, type RequestOptions, Session } from './session.js';
export type { Script } from './swarm.js';
