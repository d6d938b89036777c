/** events: once() and on() give up when the greenlet that called them is killed. */
import { quietly, replaceStarting, withSignal } from './started.js';

export function installEvents(): void {
  replaceStarting('events', 'once', (original) => (greenlet, emitter, name, options) => {
    const started = original(emitter, name, withSignal(greenlet, options));
    return quietly(greenlet, started as Promise<unknown>);
  });
  replaceStarting('events', 'on', (original) => (greenlet, emitter, name, options) => {
    return original(emitter, name, withSignal(greenlet, options));
  });
}
