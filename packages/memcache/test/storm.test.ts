import { describeStorm } from '@tendril/adapter-suite';
import { adapter } from './adapter.js';

describeStorm(adapter);
describeStorm(adapter, { silence: true });
