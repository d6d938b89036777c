/** LaneState: what has been sent over a connection that would be left to the next who is lent it. */
import { ConcurrentUseError, getCurrent } from '@tendril/core';
import type { Raw } from './raw.js';
import { type Rule, ruleOf } from './rules.js';

export class LaneState {
  #isDirty = false;
  #isSpoilt = false;
  /** Who has begun a MULTI or a WATCH that has not ended. */
  #owner: unknown;

  /** From here on it sees every command that is sent over `raw`, also those of node-redis's own. */
  constructor(raw: Raw) {
    const queue = raw._getQueue();
    const add = queue.addCommand;
    queue.addCommand = (args, options) => {
      const rule = ruleOf(args);
      if (rule) this.#note(rule.effect);
      return add.call(queue, args, options);
    };
  }

  #note(effect: Rule['effect']): void {
    if (effect === 'dirty') this.#isDirty = true;
    else if (effect === 'spoilt') this.#isSpoilt = true;
    else this.#owner = effect === 'begins' ? (getCurrent() ?? this) : undefined;
  }

  /** The next one finds nothing of those before. */
  get isClean(): boolean {
    return !this.#isDirty && !this.#isSpoilt && this.#owner === undefined;
  }

  /** Nor can it be made so. */
  get isSpoilt(): boolean {
    return this.#isSpoilt;
  }

  /** The connection is as when it was new. */
  clear(): void {
    this.#isDirty = false;
    this.#owner = undefined;
  }

  /** @throws ConcurrentUseError for somebody else's commands between WATCH or MULTI and EXEC */
  check(): void {
    if (this.#owner === undefined || this.#owner === getCurrent()) return;
    throw new ConcurrentUseError('A connection with a WATCH or MULTI');
  }
}
