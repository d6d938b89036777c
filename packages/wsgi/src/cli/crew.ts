/**
 * Crew: keeps as many workers as wanted, and replaces them.
 *
 * A worker that is to go, because of a reload or of `--max-requests`, serves till its successor does.
 * After a reload all successors must be ready first: code that does not start leaves the old workers
 * in service.
 */
import type { Address } from '@tendril/core/socket';
import { Backoff } from './backoff.js';
import type { Dispatcher } from './dispatcher.js';
import { fileOf } from './load-app.js';
import type { Logger } from './logger.js';
import { Member } from './member.js';
import type { FromWorker } from './messages.js';
import type { Settings } from './options.js';

/** What a worker gets beyond the graceful timeout to write its last bytes and end, in milliseconds. */
const allowance = 4000;
const quitLimit = 1000;
/** Milliseconds between two complaints about workers that cannot take connections. */
const complainEvery = 10_000;

export interface CrewEvents {
  /** Not one worker has ever started, and this one cannot. */
  cannotBoot(): void;
  /** The last one has gone while none are wanted. */
  empty(): void;
}

export class Crew {
  readonly #settings: Settings;
  readonly #dispatcher: Dispatcher;
  readonly #logger: Logger;
  readonly #events: CrewEvents;
  readonly #members = new Set<Member>();
  readonly #backoff = new Backoff();
  #addresses: Address[] = [];
  #wanted = 0;
  #everServed = false;
  #lastReport = '';
  #pause: NodeJS.Timeout | undefined;
  #reloading = false;
  #ticker: NodeJS.Timeout | undefined;
  #lastTick = performance.now();
  #nextComplaint = 0;

  constructor(settings: Settings, dispatcher: Dispatcher, logger: Logger, events: CrewEvents) {
    this.#settings = settings;
    this.#dispatcher = dispatcher;
    this.#logger = logger;
    this.#events = events;
  }

  start(addresses: Address[]): void {
    this.#addresses = addresses;
    const { timeout } = this.#settings;
    const interval = timeout > 0 ? Math.min(Math.max(timeout / 4, 50), 500) : 500;
    this.#ticker = setInterval(() => this.#tick(interval), interval);
    this.resize(this.#settings.workers);
  }

  get wanted(): number {
    return this.#wanted;
  }

  /** Has no effect before start(). */
  resize(count: number): void {
    if (!this.#ticker) return;
    this.#wanted = count;
    this.#manage();
  }

  #in(phase: Member['phase'], old: boolean): Member[] {
    return [...this.#members].filter((each) => each.phase === phase && each.old === old);
  }

  // -------------------------------------------------------------- how many there are

  #manage(): void {
    const serving = this.#in('serving', false);
    const booting = this.#in('booting', false);
    if (!this.#pause)
      for (let n = serving.length + booting.length; n < this.#wanted; n++) this.#spawn();
    for (const member of serving.slice(0, Math.max(serving.length - this.#wanted, 0)))
      this.#retire(member);
    this.#relieve(serving.length);
  }

  // Old ones go one by one as others come; those of a reload all together.
  #relieve(serving: number): void {
    const old = this.#in('serving', true);
    if (this.#reloading && serving < this.#wanted) return;
    const spare = serving + old.length - this.#wanted;
    for (const member of old.slice(0, Math.max(spare, 0))) this.#retire(member);
    if (!this.#reloading) return;
    this.#reloading = false;
  }

  #spawn(): void {
    const member = new Member({
      message: (from, message) => this.#received(from, message),
      gone: (from, how, byItself) => this.#gone(from, how, byItself),
    });
    const { loadTimeout } = this.#settings;
    if (loadTimeout > 0) member.bootDeadline = member.born + loadTimeout;
    this.#members.add(member);
  }

  #retire(
    member: Member,
    polite = this.#settings.keepAlive + 500,
    limit = this.#settings.gracefulTimeout,
  ): void {
    this.#dispatcher.remove(member);
    member.retire(polite, limit, allowance);
  }

  #received(member: Member, message: FromWorker): void {
    switch (message.tendril) {
      case 'hello':
        member.send({ tendril: 'start', settings: this.#settings, addresses: this.#addresses });
        return;
      case 'ready':
        if (member.phase !== 'booting') return;
        this.#everServed = true;
        this.#lastReport = '';
        member.phase = 'serving';
        this.#dispatcher.add(member);
        this.#manage();
        return;
      case 'took':
        this.#dispatcher.took(member, message.number);
        return;
      case 'missed':
        this.#missed(member, message.number);
        return;
      case 'leave':
        if (member.phase !== 'serving' || member.old) return;
        this.#logger.info(`Replacing worker (pid:${member.pid}): ${message.why}.`);
        member.old = true;
        this.#manage();
        return;
      case 'failed':
        // All workers of a round fail in the same way: once is enough.
        if (message.report !== this.#lastReport) this.#logger.error(message.report);
        this.#lastReport = message.report;
    }
  }

  #missed(member: Member, number: number): void {
    const now = performance.now();
    if (this.#dispatcher.missed(member, number) === 0 || now < this.#nextComplaint) return;
    this.#nextComplaint = now + complainEvery;
    this.#logger.warning(
      `Worker (pid:${member.pid}) could not take a connection: it may be out of file descriptors. ` +
        'The connection goes to another worker, and this one is passed over for a while.',
    );
  }

  // ---------------------------------------------------------------------- their ends

  #gone(member: Member, how: string, byItself: boolean): void {
    const phase = member.lastPhase;
    this.#members.delete(member);
    this.#dispatcher.lost(member);
    if (phase === 'retiring') {
      if (this.#members.size === 0 && this.#wanted === 0) this.#events.empty();
      return;
    }
    this.#logger.error(`Worker (pid:${member.pid}) ${how}!`);
    if (phase === 'booting') this.#bootFailed(member, byItself);
    this.#recover(performance.now() - member.born);
  }

  #bootFailed(member: Member, byItself: boolean): void {
    if (!this.#everServed && byItself) {
      this.#wanted = 0;
      this.#events.cannotBoot();
    } else if (this.#reloading && !member.old) {
      this.#logger.error('Worker failed to boot: the reload is given up, the old workers stay.');
      this.#reloading = false;
      for (const each of this.#members) {
        if (each.phase === 'booting') each.abandon();
        if (each.phase === 'serving') each.old = false;
      }
      this.#manage();
    }
  }

  #recover(lifetime: number): void {
    const wait = this.#backoff.afterDeath(lifetime);
    if (wait > 0 && !this.#pause) {
      this.#logger.warning(`Workers die as soon as they start: waiting for ${wait / 1000} s.`);
      this.#pause = setTimeout(() => {
        this.#pause = undefined;
        this.#manage();
      }, wait);
    }
    this.#manage();
  }

  #tick(interval: number): void {
    const now = performance.now();
    // Whoever was stopped or asleep in the meantime, the workers were, too.
    const asleep = Math.max(now - this.#lastTick - 2 * interval, 0);
    this.#lastTick = now;
    for (const member of this.#members) {
      member.lastBeat += asleep;
      member.bootDeadline += asleep;
      if (member.phase === 'serving') this.#backoff.alive(now - member.born);
      if (!member.killed && this.#isLate(member, now)) member.kill();
    }
  }

  /** True, and said, if the worker has to go. */
  #isLate(member: Member, now: number): boolean {
    const { timeout, loadTimeout, app } = this.#settings;
    const who = `Worker (pid:${member.pid})`;
    if (member.phase === 'booting') {
      // An import that waits for ever and one that never returns are the same from here.
      if (now < member.bootDeadline) return false;
      const limit = `${loadTimeout / 1000} s, the limit of --load-timeout`;
      this.#logger.critical(`${who} has not loaded ${fileOf(app)} within ${limit}: killing it.`);
    } else if (timeout > 0 && now - member.lastBeat > timeout) {
      this.#logger.critical(`WORKER TIMEOUT (pid:${member.pid})`);
    } else if (timeout > 0 && this.#dispatcher.unanswered(member) > timeout) {
      this.#logger.critical(`${who} does not take the connections that it is given: killing it.`);
      this.#dispatcher.giveUp(member);
    } else if (now > member.deadline) {
      this.#logger.warning(`${who} did not end in time: killing it.`);
    } else return false;
    return true;
  }

  // -------------------------------------------------------------------------- changes

  /** New workers in place of all; at once again if it comes while one is under way. */
  reload(): void {
    if (!this.#ticker) return;
    // The code may have changed again while a reload was under way: what that has brought goes as
    // well, at once if enough of the old ones still serve.
    const enough = this.#reloading && this.#in('serving', true).length >= this.#wanted;
    this.#reloading = true;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#lastReport = '';
    for (const member of this.#members) {
      if (member.phase === 'booting') member.abandon();
      else if (member.phase === 'serving' && enough && !member.old) this.#retire(member);
      else if (member.phase === 'serving') member.old = true;
    }
    this.resize(this.#settings.workers);
  }

  reopenLogs(): void {
    for (const member of this.#members) member.send({ tendril: 'reopen' });
  }

  /**
   * None any more. `polite`: milliseconds that connections at rest are left alone; `limit`: for the
   * requests under way.
   */
  retireAll(polite: number, limit = this.#settings.gracefulTimeout): void {
    this.#wanted = 0;
    this.#reloading = false;
    for (const member of this.#members) {
      if (member.phase === 'booting') member.abandon();
      else if (member.phase === 'serving') this.#retire(member, polite, limit);
    }
    if (this.#members.size === 0) this.#events.empty();
  }

  quitAll(): void {
    this.#wanted = 0;
    this.#reloading = false;
    for (const member of this.#members) {
      if (member.phase === 'booting') member.abandon();
      else member.quit(quitLimit);
    }
    if (this.#members.size === 0) this.#events.empty();
  }

  close(): void {
    clearInterval(this.#ticker);
    clearTimeout(this.#pause);
  }
}
