const { execFile } = require('node:child_process');
const deasync = require('@tendril/deasync');

process.stdout.write(deasync(execFile)(process.execPath, ['-p', '6 * 7']));
deasync.sleep(1);
console.log('slept');
