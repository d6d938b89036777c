/** Side: a connection on which the server is told to stop what runs on others. */
import { sleep } from '@tendril/core';
import type { Session } from './session.js';

/** Milliseconds between two looks at a clock that counts seconds. */
const lookInterval = 50;
/** Milliseconds after which such a clock has ticked. */
const longestTick = 1200;

interface Status {
  Value: string;
}

export class Side {
  readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  /**
   * Whether the server has been running since a session began: one that was started again counts its
   * sessions anew, and who has the number now is somebody else. Parks, for a second at the most.
   */
  hasKnown(session: Session): boolean {
    if (this.session.since < session.since) return true;
    // The server knows its age in whole seconds: its start is between two moments, closer at each look.
    let earliest = Number.NEGATIVE_INFINITY;
    let latest = Number.POSITIVE_INFINITY;
    const deadline = performance.now() + longestTick;
    for (;;) {
      const asked = performance.now();
      const [[status]] = this.session.query("SHOW GLOBAL STATUS LIKE 'Uptime'") as unknown as [
        Status[],
      ];
      const age = Number(status?.Value) * 1000;
      latest = Math.min(latest, performance.now() - age);
      earliest = Math.max(earliest, asked - age - 1000);
      if (latest < session.since) return true;
      if (!(earliest <= session.since) || performance.now() > deadline) return false;
      sleep(lookInterval);
    }
  }
}
