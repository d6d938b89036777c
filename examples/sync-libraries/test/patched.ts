/** Imported before the libraries: what they take out of Node's modules is patched. */
import { patchAll } from '@tendril/core/monkey';

patchAll();
