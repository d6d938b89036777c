// Work for the thread pool's tests.
import { threadId } from 'node:worker_threads';

export const double = (n) => n * 2;
export const whereAmI = () => threadId;
