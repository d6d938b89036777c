import { describeStorm } from '@tendril/adapter-suite';
import { clientAdapter } from './redis-adapter.js';

describeStorm(clientAdapter, { silence: true });
