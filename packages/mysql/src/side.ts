/** Side: a connection on which the server is asked about others, and told to stop what runs on them. */
import type { Session } from './session.js';

interface Status {
  Value: string;
}

interface State {
  /** The number of this connection is one of the server's own. */
  direct: number | string;
  command: string | null;
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

  /** Whether the server works on something for a session, as far as can be known from here. */
  isWorkedFor(session: Session): boolean {
    if (!this.#knows(session)) return false;
    // Of a command that is not all sent the server knows nothing yet. Others' sessions are seen by few. And
    // behind a proxy that speaks the protocol itself the numbers of sessions are none of the server's.
    const { threadId } = this.session;
    const sql = `SELECT CONNECTION_ID() = ${threadId} AS direct,
      (SELECT command FROM information_schema.processlist WHERE id = ${session.threadId}) AS command`;
    const [[state]] = this.session.query(sql) as unknown as [State[]];
    if (session.sending || session.foreign || !Number(state?.direct)) return true;
    return state?.command !== null && state?.command !== 'Sleep';
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
