'use strict';
/** The application in as many processes as WORKERS says. */
const cluster = require('node:cluster');

if (cluster.isPrimary) {
  for (let n = 0; n < Number(process.env.WORKERS); n++) cluster.fork();
} else {
  require('./app.cjs');
}
