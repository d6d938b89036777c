import { describeAdapter } from '@tendril/adapter-suite';
import { clientAdapter } from './redis-adapter.js';

describeAdapter(clientAdapter);
