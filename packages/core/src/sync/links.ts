/** Callbacks that are called on a later turn when something is ready. */
import { hub } from '../hub/hub.js';

type Callback<T> = (self: T) => void;

export class Links<T> {
  #callbacks: Callback<T>[] = [];

  add(callback: Callback<T>): void {
    this.#callbacks.push(callback);
  }

  remove(callback: Callback<T>): void {
    this.#callbacks = this.#callbacks.filter((other) => other !== callback);
  }

  /** Calls each of them once. One that throws is reported and stops nobody. */
  notify(self: T): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callLater(callback, self);
  }
}

export function callLater<T>(callback: Callback<T>, self: T): void {
  hub.schedule(() => callback(self));
}
