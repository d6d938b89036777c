import { describeAdapter } from '@tendril/adapter-suite';
import { poolAdapter } from './redis-adapter.js';

describeAdapter(poolAdapter);
