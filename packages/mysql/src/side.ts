/** Side: a connection on which the server is told to stop what runs on others. */
import type { Session } from './session.js';

interface Status {
  Value: string;
}

export class Side {
  readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  /** Stops what a session runs. */
  killQuery(session: Session): void {
    if (this.#knows(session)) this.session.query(`KILL QUERY ${session.threadId}`);
  }

  /** Ends a session. */
  kill(session: Session): void {
    if (this.#knows(session)) this.session.query(`KILL ${session.threadId}`);
  }

  /**
   * Whether the server still has the session. One that was started again counts its sessions anew, and
   * who has the number now is somebody else.
   */
  #knows(session: Session): boolean {
    if (session.closed) return false;
    if (this.session.since < session.since) return true;
    // A network that is down says nothing of the end of a connection. The age is in whole seconds.
    const asked = performance.now();
    const sql = "SHOW GLOBAL STATUS LIKE 'Uptime'";
    const [[status]] = this.session.query(sql) as unknown as [Status[]];
    const startedAfter = asked - (Number(status?.Value) + 1) * 1000;
    return !(startedAfter > session.since || session.closed);
  }
}
