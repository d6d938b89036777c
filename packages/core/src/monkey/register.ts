/**
 * For `node --import @tendril/core/monkey/register app.js`: patches everything before the program is
 * loaded, and runs a CommonJS program in a greenlet.
 * @module
 */
import { patchAll } from './index.js';
import { runMainInGreenlet } from './main.js';

patchAll();
runMainInGreenlet();
