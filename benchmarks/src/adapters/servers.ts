/** Real servers, private to a measurement: on the first processor, and with something to ask for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type ServiceKind, startService } from '@tendril/adapter-suite';
import { version } from 'zeromq';
import { canPin, placed } from '../http/commands.js';
import { works } from '../peer-programs.js';
import type { Address } from './load.js';

export interface Server {
  address: Address;
  version: string;
  /** It has a processor of its own. */
  pinned: boolean;
  stop(): Promise<void>;
}

/** All of its threads; those to come, and processes, inherit it. False where that is not possible. */
const pin = (pid: number) => works('taskset', '-a', '-p', '-c', '0', String(pid));

/** `fill` puts in what clients ask for. @throws Error if it is not installed, or does not start */
export async function startFilled(
  kind: ServiceKind,
  fill: (address: Address) => Promise<string>,
): Promise<Server> {
  const service = await startService(kind);
  const { host, port, user, password, database, pid } = service.info;
  // Without what this server has not.
  const address: Address = JSON.parse(JSON.stringify({ host, port, user, password, database }));
  try {
    const pinned = pin(pid);
    const version = /\d+(\.\d+)+/.exec(await fill(address))?.[0] ?? '';
    return { address, version, pinned, stop: () => service.stop() };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** ZeroMQ has no server: a socket that echoes, in a process of its own. */
export async function startEcho(): Promise<Server> {
  const program = fileURLToPath(new URL('./echo-server.js', import.meta.url));
  const [command, args] = placed('server', [process.execPath, program]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit');
  const first = await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => Promise.reject(new Error('the echo server did not start'))),
  ]);
  return {
    address: { host: '127.0.0.1', port: Number(String(first)) },
    version,
    pinned: canPin,
    stop: async () => {
      process.off('exit', kill);
      kill();
      await ended;
    },
  };
}
