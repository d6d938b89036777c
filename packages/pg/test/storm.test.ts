import { describeSharedStorm, describeStorm } from '@tendril/adapter-suite';
import { adapter } from './adapter.js';

// A login costs the server some 20 ms (SCRAM, and a process of its own).
describeStorm(adapter, { right: 0.1 });
// And a connection that has fallen silent is given up two seconds after an interrupt.
describeStorm(adapter, { right: 0.01, silence: true });
describeSharedStorm(adapter);
