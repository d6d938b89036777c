/** `require('@tendril/deasync')` is the function itself. */
import lib = require('./deasync.js');
import type types = require('./deasync.js');

const deasync = lib.deasync;
declare namespace deasync {
  type Deasync = types.Deasync;
}

export = deasync;
