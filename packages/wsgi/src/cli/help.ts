/** What `--help` prints. */
import { readFileSync } from 'node:fs';

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export const help = `usage: tendril-wsgi [options] MODULE[:APP]

Serves a WSGI application with a group of worker processes.

  MODULE  a file (./app.js, app) or an installed package, ES module or CommonJS, looked up from
          the working directory
  APP     the name of its export; default: the default export, or the export \`app\`

Times are seconds; fractions are allowed.

Where to listen
  -b, --bind ADDR              HOST:PORT, [IPv6]:PORT, :PORT, PORT, unix:PATH or fd://N, which is an
                               open descriptor that listens; may be repeated. Default: 127.0.0.1:8000,
                               or all addresses and port $PORT if it is set. Sockets that systemd hands
                               on ($LISTEN_FDS) take the place of all but fd://N
  --umask BITS                 of all processes, in octal: what new files and sockets are closed to
  --socket-mode BITS           permissions of sockets of Unix, in octal, such as 660, whatever the umask

TLS
  --certfile FILE              the certificate chain, PEM
  --keyfile FILE               its private key, PEM
  --ca-certs FILE              who signs the certificates of clients, PEM
  --cert-reqs WHAT             certificates of clients: none, optional or required (0, 1, 2 in
                               gunicorn); default none. With optional also one that nobody known has signed is let
                               in: environ says FAILED in SSL_CLIENT_VERIFY

The application
  --fetch                      the export is a fetch handler: a function from Request to Response,
                               or an object with a method \`fetch\`
  --chdir DIR                  change to DIR first
  --preload                    load the application in the first process, too, so that its errors
                               show before any worker starts. Each worker still loads it for itself:
                               Node.js processes cannot share loaded code
  --reload                     restart the workers when a source file beside MODULE changes
  --check-config               load the application, print "ok", and leave

Workers
  -w, --workers N              processes; default $WEB_CONCURRENCY, or 1
  -t, --timeout SECONDS        a worker whose event loop has stood still for so long is killed and
                               replaced; 0 for never; default 30
  --load-timeout SECONDS       a worker that has not loaded the application by then is killed, and the
                               next one tries; 0 for never; default 60, or --timeout if that is more.
                               With --preload and --check-config it ends the command
  --graceful-timeout SECONDS   what requests under way get to end when a worker is stopped; default 30
  --max-requests N             replace a worker after N requests; 0 for never; default 0
  --max-requests-jitter N      and after up to N more, so that not all are replaced at once; default 0
  --spawn N                    requests that a worker runs at a time; further ones wait; default no limit
  --max-connections N          connections of a worker, for each address; those beyond get 503;
                               default 65536, or fewer if file descriptors (ulimit -n) are fewer
  --keep-alive SECONDS         how long a connection may wait for its next request; default 5

Proxies
  --forwarded-allow-ips LIST   addresses and networks, with commas, or *: proxies whose
                               X-Forwarded-For and X-Forwarded-Proto are believed. Peers on a Unix
                               socket always are. Default $FORWARDED_ALLOW_IPS, or 127.0.0.1,::1

Logs
  --access-logfile FILE        a line for each request; - for stdout; default none
  --access-log-format FORMAT   combined or json; default combined
  --error-logfile FILE         what the server has to say; default -, which is stderr
  -p, --pid FILE               write the process id of the first process to FILE
  -n, --name NAME              shown in lists of processes; default MODULE

  -v, --version                print the version
  -h, --help                   print this

Signals to the first process
  HUP         start workers with the code as it is now, then retire the old ones; if the new ones
              do not start, the old ones stay. No request is lost
  TTIN, TTOU  one worker more, one fewer
  USR1        reopen the log files
  TERM        stop when the requests under way have ended
  INT, QUIT   stop at once
  WINCH       retire all workers and keep listening; HUP or TTIN starts some again. Ignored on a
              terminal, whose every change of size sends it
To a worker: TERM replaces it gracefully, INT and QUIT at once.

Exit codes: 0 stopped, 1 failed to start, 2 wrong options, 3 the application failed to load.
`;
