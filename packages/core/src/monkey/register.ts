/**
 * For `node --import @tendril/core/monkey/register app.js`: patches everything before the program is
 * loaded, and runs a CommonJS program in a greenlet. The options of patchAll come from the environment:
 * TENDRIL_FS_PARK, TENDRIL_FS_FROM and TENDRIL_BLOCK_IN.
 * @module
 */
import { type FsOptions, patchAll } from './index.js';
import { runMainInGreenlet } from './main.js';

const { TENDRIL_FS_PARK: park, TENDRIL_FS_FROM: from, TENDRIL_BLOCK_IN: modules } = process.env;
const fs = { ...(park && { park }), ...(from && { from: Number(from) }) } as FsOptions;
const blockIn = modules?.split(',').filter((name) => name !== '');

patchAll({ fs, ...(blockIn && { blockIn }) });
runMainInGreenlet();
