/** Imported before the libraries: what they take out of Node's modules is patched. */
import { patchAll } from '@tendril/core/monkey';

/**
 * Both take it for granted that nobody else calls them meanwhile, and so would block: sync-rpc while it starts its
 * process, synckit for its answers. What is said here is that the tests see to it.
 */
patchAll({ parkIn: ['sync-rpc', 'synckit'] });
