import { describeStorm } from '@tendril/adapter-suite';
import { poolAdapter } from './redis-adapter.js';

describeStorm(poolAdapter, { silence: true });
