// Old code, which knows nothing of greenlets; with the register module there is something to add.
const fs = require('node:fs');
const Fiber = require('@tendril/fibers');
const { getCurrent, sleep, spawn } = require('@tendril/core');

let text;
Fiber(() => {
  text = fs.readFileSync(__filename, 'utf8');
}).run();
console.log(text ? 'read before run() returned' : 'run() returned first');
if (getCurrent()) {
  Fiber(() => {
    sleep(0);
    let others = false;
    spawn(() => {
      others = true;
    });
    fs.readFileSync(__filename);
    console.log(others ? 'parked' : 'blocked');
  }).run();
}
