/**
 * For `node --import @tendril/core/monkey/register app.js`: patches everything before the program is
 * loaded, and runs a CommonJS program in a greenlet. The options of patchAll come from the environment:
 * TENDRIL_FS_PARK, TENDRIL_FS_FROM, TENDRIL_BLOCK_IN and TENDRIL_PARK_IN.
 * @module
 */
import { type FsOptions, patchAll } from './index.js';
import { runMainInGreenlet } from './main.js';

const { TENDRIL_FS_PARK: park, TENDRIL_FS_FROM: from } = process.env;
const fs = { ...(park && { park }), ...(from && { from: Number(from) }) } as FsOptions;
const namesIn = (list: string | undefined) => list?.split(',').filter((name) => name !== '') ?? [];

patchAll({
  fs,
  blockIn: namesIn(process.env.TENDRIL_BLOCK_IN),
  parkIn: namesIn(process.env.TENDRIL_PARK_IN),
});
runMainInGreenlet();
