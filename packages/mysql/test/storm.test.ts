import { describeSharedStorm, describeStorm } from '@tendril/adapter-suite';
import { adapter } from './adapter.js';

describeStorm(adapter);
// A connection that has fallen silent is given up three seconds after an interrupt.
describeStorm(adapter, { right: 0.01, silence: true });
describeSharedStorm(adapter);
