import { describeAdapter } from '@tendril/adapter-suite';
import { adapter } from './adapter.js';

describeAdapter(adapter);
