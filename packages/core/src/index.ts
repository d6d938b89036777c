/**
 * gevent for Node.js: greenlets, timeouts, and primitives that park instead of block.
 * @module
 */
import './hub/async-scope.js';

export {
  AcquireTimeoutError,
  CannotSwitchError,
  ConcurrentUseError,
  GreenletExit,
  IncompleteReadError,
  InvalidArgumentError,
  isExit,
  LimitExceededError,
  LoopExit,
  NotInGreenletError,
  PoolClosedError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  ReleaseError,
  rethrowExit,
  SocketClosedError,
  TendrilError,
  UnsupportedError,
} from './errors.js';
export { blocking } from './greenlet/blocking.js';
export type { Blocking, BlockingResult } from './greenlet/blocking-types.js';
export { type GetOptions, Greenlet, type KillOptions } from './greenlet/greenlet.js';
export {
  type IwaitOptions,
  iwait,
  type JoinallOptions,
  joinall,
  killall,
} from './greenlet/join.js';
export type { Linkable } from './greenlet/linkable.js';
export { Local } from './greenlet/local.js';
export { asyncify, type RunOptions, run } from './greenlet/run.js';
export { getCurrent, idle, sleep, spawn, spawnLater } from './greenlet/spawn.js';
export { Timeout, TimeoutError, withTimeout } from './greenlet/timeout.js';
export { type Waitable, wait } from './greenlet/wait.js';
export { config } from './hub/config.js';
export { getHub, type Hub } from './hub/hub.js';
export { canPark, park, type Resume } from './hub/park.js';
export type { TimeoutOption } from './hub/timed-wait.js';
export { wasInterrupted } from './hub/was-interrupted.js';
export { snapshotContext, withoutContext } from './loop/async-context.js';
export type { Clock, Timer } from './loop/clock.js';
export { AsyncResult } from './sync/async-result.js';
export { Condition } from './sync/condition.js';
export { Event } from './sync/event.js';
export { Group, type GroupJoinOptions } from './sync/group.js';
export type { ImapOptions } from './sync/map-run.js';
export { Pool, type PoolOptions } from './sync/pool.js';
export { Channel, LifoQueue, PriorityQueue, Queue, SimpleQueue } from './sync/queue.js';
export type { QueueOptions } from './sync/queue-base.js';
export {
  ResourcePool,
  type ResourcePoolOptions,
  type ResourcePoolStatistics,
} from './sync/resource-pool.js';
export { RLock } from './sync/rlock.js';
export { type AcquireOptions, BoundedSemaphore, Semaphore } from './sync/semaphore.js';
export { type Transactional, type TransactOptions, transact } from './sync/transact.js';
export { Turns } from './sync/turns.js';
export { Vigil, type Watched } from './sync/vigil.js';
