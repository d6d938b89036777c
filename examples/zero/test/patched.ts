/** Imported first: what is loaded later takes functions that are patched already. */
import { patchAll } from '@tendril/core/monkey';

patchAll();
