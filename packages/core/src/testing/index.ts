/**
 * Deterministic tests of code that runs in greenlets: time that jumps, turns in a given order, and
 * proof that nothing is left.
 * @module
 */
export { checkLeaks } from './leaks.js';
export { Sequencer } from './sequencer.js';
export { assertNoSwitch, assertSwitches, waitAllParked } from './switches.js';
export { VirtualClock, type VirtualClockOptions } from './virtual-clock.js';
