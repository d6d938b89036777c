/** Swarm: many users at once, each a greenlet that plays its script over and over. */
import { type Greenlet, isExit, killall, sleep, spawn } from '@tendril/core';
import type { Metrics } from './metrics.js';
import { CheckError, Session, type SessionSettings } from './session.js';

/** Plays a user once; it is played again and again in the same session. */
export type Script = (session: Session, user: number) => void;

export interface SwarmSettings extends SessionSettings {
  users: number;
  /** Milliseconds until all users are there. */
  rampUp: number;
}

export class Swarm {
  readonly #script: Script;
  readonly #settings: SwarmSettings;
  readonly #users: Greenlet[] = [];
  /** What is wrong with the script itself; it ended its user. */
  readonly errors: unknown[] = [];

  constructor(script: Script, settings: SwarmSettings) {
    this.#script = script;
    this.#settings = settings;
  }

  get users(): number {
    return this.#users.length;
  }
  get metrics(): Metrics {
    return this.#settings.metrics;
  }

  /** Lets users in, for `ms` milliseconds in all, and sends them away. A kill does so at once. */
  run(ms: number): void {
    const deadline = performance.now() + ms;
    const pause = this.#settings.rampUp / this.#settings.users;
    try {
      for (let user = 0; user < this.#settings.users; user++) {
        this.#users.push(spawn(() => this.#play(user)));
        sleep(Math.min(pause, Math.max(0, deadline - performance.now())));
      }
      sleep(Math.max(0, deadline - performance.now()));
    } finally {
      killall(this.#users);
    }
  }

  #play(user: number): void {
    const session = new Session(this.#settings);
    try {
      for (;;) {
        try {
          this.#script(session, user);
        } catch (error) {
          if (!(error instanceof CheckError)) throw error;
        }
        sleep(0); // a script without a request must not keep the others out
      }
    } catch (error) {
      if (isExit(error)) throw error;
      this.errors.push(error);
    } finally {
      session.close();
    }
  }
}
